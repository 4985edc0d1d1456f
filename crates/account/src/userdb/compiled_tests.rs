use super::*;
use cdb::Writer;
use std::fs;

struct Site(PathBuf);

impl Site {
    fn new(name: &str, accounts: &[(&str, &str)], secrets: &[(&str, &str)]) -> Site {
        let directory = std::env::temp_dir().join(format!("userdb-test-{}-{name}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let site = Site(directory);
        for (path, records) in [(database(&site.source()), accounts), (shadow_database(&site.source()), secrets)] {
            let mut writer = Writer::create(&path, &path.with_extension("tmp"), 0o600).unwrap();
            for (key, data) in records {
                writer.add(key.as_bytes(), data.as_bytes()).unwrap();
            }
            writer.finish().unwrap();
        }
        site
    }

    fn source(&self) -> PathBuf {
        self.0.join("userdb")
    }

    fn open(&self) -> Userdb {
        Userdb::open(&self.source()).unwrap().unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_account() {
    let record =
        "uid=1000|gid=100|home=/home/joe|gecos=Joe|mail=Maildir|quota=1000S|options=group=x|shell=/bin/sh|own=1|_=";
    let site = Site::new("account", &[("joe", record), ("1000=", "joe|_=")], &[("joe", "systempw={SHA}s|imappw=i")]);
    let userdb = site.open();
    let account = userdb.entry(b"joe").unwrap().unwrap().account().unwrap();
    let expected = Account {
        address: b"joe".to_vec(),
        system_user: None,
        uid: 1000,
        gid: 100,
        home: b"/home/joe".to_vec(),
        fullname: b"Joe".to_vec(),
        maildir: b"Maildir".to_vec(),
        quota: b"1000S".to_vec(),
        options: b"group=x".to_vec(),
        shell: b"/bin/sh".to_vec(),
    };
    assert_eq!(account, expected);
    assert_eq!(userdb.entry(b"ann").unwrap(), None);
    assert_eq!(userdb.entry(b"1000=").unwrap(), None, "a reverse entry is nobody's account");
    assert_eq!(userdb.name_of(1000).unwrap().unwrap(), b"joe");
    assert_eq!(userdb.entries().unwrap().count(), 1);
    let password = |service: &[u8]| userdb.password(b"joe", service).unwrap().unwrap().to_vec();
    assert_eq!((password(b"imap"), password(b"pop3")), (b"i".to_vec(), b"{SHA}s".to_vec()));
    assert_eq!(userdb.password(b"ann", b"imap").unwrap(), None);
    assert_eq!(userdb.sample(b"pop3").unwrap(), b"{SHA}s");
}

#[test]
fn incomplete_records_are_no_accounts() {
    for record in [
        "",
        "uid=1|gid=1",
        "uid=1|home=/x",
        "gid=1|home=/x",
        "uid=1|gid=1|home=",
        "uid=|gid=1|home=/x",
        "uid=-1|gid=1|home=/x",
        "uid=1x|gid=1|home=/x",
        "uid=4294967295|gid=1|home=/x",
        "uid=+1|gid=1|home=/x",
        "uid=99999999999|gid=1|home=/x",
    ] {
        let entry = Entry { address: b"x".to_vec(), record: record.as_bytes().to_vec() };
        assert_eq!(entry.account(), None, "{record}");
    }
}

#[test]
fn a_site_without_a_userdb_and_one_that_was_not_compiled() {
    let site = Site::new("missing", &[], &[]);
    fs::remove_file(database(&site.source())).unwrap();
    assert!(Userdb::open(&site.source()).unwrap().is_none());
    fs::write(site.source(), b"joe\tuid=1").unwrap();
    assert!(Userdb::open(&site.source()).is_err());
}

#[test]
fn damage_is_an_error() {
    let site = Site::new("damage", &[], &[]);
    fs::write(database(&site.source()), b"not a cdb").unwrap();
    assert!(Userdb::open(&site.source()).is_err());
    fs::remove_file(shadow_database(&site.source())).unwrap();
}
