use crate::{Cdb, Error, Writer};
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own for each case, removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cdb-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Dir(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, records: &[(Vec<u8>, Vec<u8>)]) -> PathBuf {
        let mut writer = Writer::create(&self.path("cdb"), &self.path("tmp"), 0o644).unwrap();
        for (key, data) in records {
            writer.add(key, data).unwrap();
        }
        writer.finish().unwrap();
        self.path("cdb")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What Debian's `tcprules` 0.88 wrote for `testdata/rules`, and the records that are in it.
const TCPRULES: &[u8] = include_bytes!("../testdata/tcprules.cdb");

fn tcprules_records() -> Vec<(Vec<u8>, Vec<u8>)> {
    let records: [(&[u8], &[u8]); 10] = [
        (b"127.0.0.1", b"+A=x\0+B=y\"z\0+TCPLOCALHOST=rules.example\0"),
        (b"10.2.", b"D\0"),
        (b"10.3.", b"D\0"),
        (b"192.168.1.5", b"+RELAYCLIENT=\0"),
        (b"192.168.1.6", b"+RELAYCLIENT=\0"),
        (b"192.168.1.7", b"+RELAYCLIENT=\0"),
        (b"=host.example.org", b""),
        (b"joe@127.0.0.2", b"D\0"),
        (b"127.0.0.1", b"+SECOND=never found\0"),
        (b"", b""),
    ];
    records.iter().map(|(key, data)| (key.to_vec(), data.to_vec())).collect()
}

#[test]
fn reads_tcprules() {
    let dir = Dir::new();
    fs::write(dir.path("cdb"), TCPRULES).unwrap();
    let cdb = Cdb::open(&dir.path("cdb")).unwrap();
    let records: Vec<_> = cdb.records().unwrap().map(Result::unwrap).collect();
    assert_eq!(records, tcprules_records());
    assert_eq!(cdb.get(b"127.0.0.1").unwrap().unwrap(), records[0].1, "the first of two wins");
    assert_eq!(cdb.get(b"10.3.").unwrap().unwrap(), b"D\0");
    assert_eq!(cdb.get(b"").unwrap().unwrap(), b"");
    assert_eq!(cdb.get(b"10.4.").unwrap(), None);
}

#[test]
fn writes_the_bytes_that_tcprules_writes() {
    let dir = Dir::new();
    assert_eq!(fs::read(dir.write(&tcprules_records())).unwrap(), TCPRULES);
}

#[test]
fn an_empty_database_is_one() {
    let dir = Dir::new();
    let cdb = Cdb::open(&dir.write(&[])).unwrap();
    assert_eq!(cdb.get(b"").unwrap(), None);
    assert_eq!(cdb.records().unwrap().count(), 0);
}

#[test]
fn an_unfinished_database_leaves_the_old_one() {
    let dir = Dir::new();
    let path = dir.write(&[(b"a".to_vec(), b"1".to_vec())]);
    let mut writer = Writer::create(&path, &dir.path("tmp"), 0o644).unwrap();
    writer.add(b"a", b"2").unwrap();
    drop(writer);
    assert_eq!(Cdb::open(&path).unwrap().get(b"a").unwrap().unwrap(), b"1");
    assert!(!dir.path("tmp").exists());
}

#[test]
fn a_crashed_writer_is_no_obstacle_and_the_mode_is_exact() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    fs::write(dir.path("tmp"), b"left behind").unwrap();
    let path = dir.write(&[]);
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o644);
}

#[test]
fn an_open_reader_keeps_the_database_it_opened() {
    let dir = Dir::new();
    let old = Cdb::open(&dir.write(&[(b"a".to_vec(), b"1".to_vec())])).unwrap();
    let new = Cdb::open(&dir.write(&[(b"a".to_vec(), b"2".to_vec())])).unwrap();
    assert_eq!((old.get(b"a").unwrap().unwrap(), new.get(b"a").unwrap().unwrap()), (b"1".to_vec(), b"2".to_vec()));
}

#[test]
fn what_is_no_database_is_refused() {
    let dir = Dir::new();
    fs::write(dir.path("short"), [0; 2047]).unwrap();
    assert!(matches!(Cdb::open(&dir.path("short")), Err(Error::Damaged)));
    assert!(matches!(Cdb::open(&dir.0), Err(Error::Damaged)));
    assert!(matches!(Cdb::open(&dir.path("missing")), Err(Error::Io(_))));
}

#[test]
fn a_table_beyond_the_end_is_damage_at_once() {
    let dir = Dir::new();
    let mut bytes = vec![0; 2048];
    for slot in bytes.chunks_exact_mut(8) {
        slot.copy_from_slice(&[0, 8, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    }
    fs::write(dir.path("cdb"), bytes).unwrap();
    let cdb = Cdb::open(&dir.path("cdb")).unwrap();
    assert!(matches!(cdb.get(b"joe"), Err(Error::Damaged)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read(records in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..12),
                                                                  prop::collection::vec(any::<u8>(), 0..40)), 0..200)) {
        let dir = Dir::new();
        let cdb = Cdb::open(&dir.write(&records)).unwrap();
        prop_assert_eq!(&cdb.records().unwrap().map(Result::unwrap).collect::<Vec<_>>(), &records);
        for (key, _) in &records {
            let first = records.iter().find(|(k, _)| k == key).map(|(_, data)| data.clone());
            prop_assert_eq!(cdb.get(key).unwrap(), first);
        }
    }

    #[test]
    fn no_damage_panics_or_hangs(at in 0usize..2600, with in any::<[u8; 4]>(), cut in 0usize..2600) {
        let dir = Dir::new();
        let mut bytes = TCPRULES.to_vec();
        for (byte, new) in bytes.iter_mut().skip(at).zip(with) {
            *byte = new;
        }
        bytes.truncate(cut.max(2048));
        fs::write(dir.path("cdb"), &bytes).unwrap();
        let cdb = Cdb::open(&dir.path("cdb")).unwrap();
        for (key, _) in tcprules_records() {
            let _ = cdb.get(&key);
        }
        if let Ok(records) = cdb.records() {
            prop_assert!(records.count() <= bytes.len() / 8);
        }
    }

    #[test]
    fn no_bytes_panic(header in prop::collection::vec(any::<u8>(), 2048..2300), key in any::<[u8; 3]>()) {
        let dir = Dir::new();
        fs::write(dir.path("cdb"), &header).unwrap();
        let cdb = Cdb::open(&dir.path("cdb")).unwrap();
        let _ = cdb.get(&key);
        let _ = cdb.records().map(Iterator::count);
    }
}
