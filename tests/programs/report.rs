// report - what a Rust program does all day: arguments, environment, stdin, files, time. Every line of output is
// the same in every run. "panic" as an argument panics.
use std::collections::{BTreeMap, HashMap};
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

fn files(dir: &Path) -> io::Result<()> {
    let deep = dir.join("x/y");
    fs::create_dir_all(&deep)?;
    let name = deep.join("log.txt");
    let mut file = File::create(&name)?;
    for i in 0..1000 {
        writeln!(file, "line {}", i)?;
    }
    drop(file);
    OpenOptions::new().append(true).open(&name)?.write_all(b"the end\n")?;
    let lines = BufReader::new(File::open(&name)?).lines().collect::<io::Result<Vec<_>>>()?;
    println!("lines {} last {:?}", lines.len(), lines[lines.len() - 1]);
    let mut file = OpenOptions::new().read(true).write(true).open(&name)?;
    file.seek(SeekFrom::Start(5))?;
    file.write_all(b"X")?;
    file.seek(SeekFrom::End(-8))?;
    let mut tail = String::new();
    file.read_to_string(&mut tail)?;
    file.set_len(6)?;
    file.sync_all()?;
    println!("tail {:?} head {:?}", tail, fs::read_to_string(&name)?);
    println!("copied {}", fs::copy(&name, dir.join("copy.txt"))?);
    fs::rename(&name, dir.join("moved.txt"))?;
    let mut names = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        names.insert(entry.file_name().into_string().unwrap(), entry.file_type()?.is_dir());
    }
    println!("entries {:?}", names);
    println!("missing {:?}", File::open(&name).unwrap_err().kind());
    println!("outside {}", fs::read("/etc/passwd").is_err());
    println!("modified {}", fs::metadata(dir.join("moved.txt"))?.modified()? > SystemTime::UNIX_EPOCH);
    fs::remove_dir_all(dir.join("x"))?;
    fs::remove_file(dir.join("copy.txt"))?;
    Ok(())
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    println!("args {:?}", args);
    println!("env {:?}", env::vars().collect::<BTreeMap<_, _>>());
    if args.iter().any(|arg| arg == "panic") {
        panic!("asked to");
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for line in io::stdin().lock().lines() {
        *counts.entry(line.unwrap()).or_default() += 1;
    }
    println!("stdin {:?}", counts.into_iter().collect::<BTreeMap<_, _>>());
    if let Err(error) = files(Path::new(&args[0])) {
        eprintln!("report: {}", error);
        process::exit(1);
    }
    let start = Instant::now();
    thread::sleep(Duration::from_millis(30));
    let took = start.elapsed();
    println!("slept {} {}", took >= Duration::from_millis(30), took < Duration::from_secs(5));
    println!("clock {}", SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() > 1_700_000_000);
    process::exit(17);
}
