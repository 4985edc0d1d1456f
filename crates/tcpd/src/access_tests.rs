use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database of its own for each test, removed at the end.
struct Db(PathBuf);

impl Db {
    fn new(entries: &[(&str, &str)]) -> Db {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("access-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let db = Db(std::env::temp_dir().join(name));
        db.write(entries);
        db
    }

    fn write(&self, entries: &[(&str, &str)]) {
        let mut writer = cdb::Writer::create(&self.0, &self.0.with_extension("tmp"), 0o600).unwrap();
        for (key, data) in entries {
            writer.add(key.as_bytes(), data.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
    }

    fn open(&self) -> Access {
        Access::open(&self.0, None).unwrap()
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The value of the variable W of the rule, `deny`, or `none`.
fn which(rule: Result<Option<Rule>, cdb::Error>) -> String {
    match rule.unwrap() {
        None => "none".to_owned(),
        Some(Rule::Deny) => "deny".to_owned(),
        Some(Rule::Allow(variables)) => variables
            .iter()
            .find(|(name, _)| name == b"W")
            .map_or(String::new(), |(_, v)| String::from_utf8_lossy(v).into()),
    }
}

#[test]
fn the_most_specific_entry_of_courier_holds() {
    let db = Db::new(&[
        ("192.168", "allow,W=b"),
        ("192.168.0", "deny"),
        ("192.168.0.10", "allow,W=one"),
        (":2001:0db8", "allow,W=six"),
        (":2001:0db8:0000:0000:0000:0000:0000:0001", "deny"),
    ]);
    let access = db.open();
    let remote = |text| which(access.remote(ip(text), Names::default()));
    assert_eq!(remote("192.168.0.10"), "one");
    assert_eq!(remote("::ffff:192.168.0.10"), "one");
    assert_eq!(remote("192.168.0.11"), "deny");
    assert_eq!(remote("192.168.1.10"), "b");
    assert_eq!(remote("192.169.0.10"), "none");
    assert_eq!(remote("2001:db8::1"), "deny");
    assert_eq!(remote("2001:db8:5::1"), "six");
    assert_eq!(remote("2001:db9::1"), "none");
}

#[test]
fn the_local_address_has_keys_of_its_own() {
    let db = Db::new(&[
        ("10.0.0.1.143", "allow,W=address and port"),
        ("10.0.0.2", "allow,W=address"),
        ("*.993", "allow,W=port"),
        (":0000:0000:0000:0000:0000:0000:0000:0001.143", "allow,W=six"),
        ("*", "deny"),
    ]);
    let access = db.open();
    let local = |text: &str| which(access.local(text.parse().unwrap()));
    assert_eq!(local("10.0.0.1:143"), "address and port");
    assert_eq!(local("10.0.0.2:143"), "address");
    assert_eq!(local("10.0.0.3:993"), "port");
    assert_eq!(local("[::1]:143"), "six");
    assert_eq!(local("10.0.0.3:143"), "deny");
    assert_eq!(which(access.remote(ip("10.0.0.3"), Names::default())), "deny");
}

#[test]
fn tcprules_are_looked_up_as_tcpserver_does() {
    let db = Db::new(&[
        ("joe@10.1.2.3", "+W=1\0"),
        ("joe@=a.example.org", "+W=2\0"),
        ("10.1.2.4", "+W=3\0"),
        ("=a.example.org", "+W=4\0"),
        ("10.1.", "+W=5\0"),
        ("=.example.org", "+W=6\0"),
        ("=", "+W=7\0"),
        ("", "D\0"),
    ]);
    let access = db.open();
    assert_eq!(access.dialect(), Dialect::Tcprules);
    let with = |text, host: Option<&'static str>, info: Option<&'static str>| {
        which(access.remote(ip(text), Names { host: host.map(str::as_bytes), info: info.map(str::as_bytes) }))
    };
    assert_eq!(with("10.1.2.3", None, Some("joe")), "1");
    assert_eq!(with("10.9.2.3", Some("a.example.org"), Some("joe")), "2");
    assert_eq!(with("10.1.2.4", Some("a.example.org"), None), "3");
    assert_eq!(with("10.1.2.5", Some("a.example.org"), None), "4");
    assert_eq!(with("10.1.2.5", Some("b.example.org"), None), "5");
    assert_eq!(with("10.2.2.5", Some("b.example.org"), None), "6");
    assert_eq!(with("10.2.2.5", Some("example.net"), None), "7");
    assert_eq!(with("10.2.2.5", None, Some("joe")), "deny");
    assert_eq!(with("::1", None, None), "deny");
    assert_eq!(which(access.local("10.1.2.4:143".parse().unwrap())), "none");
}

#[test]
fn the_dialect_is_told_by_what_only_one_can_say() {
    assert_eq!(Db::new(&[("1.2.3.4", ""), ("10.", "D\0")]).open().dialect(), Dialect::Tcprules);
    assert_eq!(Db::new(&[("1.2.3.4", ""), ("10", "deny")]).open().dialect(), Dialect::Courier);
    assert_eq!(Db::new(&[("1.2.3.4", "")]).open().dialect(), Dialect::Courier);
    let mixed = Db::new(&[("1.2.3.4", "deny"), ("10.", "D\0")]);
    assert!(matches!(Access::open(&mixed.0, None), Err(Unusable::Mixed)));
    assert_eq!(Access::open(&mixed.0, Some(Dialect::Tcprules)).unwrap().dialect(), Dialect::Tcprules);
}

#[test]
fn a_replaced_file_is_opened_and_a_bad_one_is_not_in_force() {
    let db = Db::new(&[("*", "allow,W=old")]);
    let mut source = Source::new(db.0.clone(), None);
    let answer = |source: &Source| which(source.access().unwrap().remote(ip("1.2.3.4"), Names::default()));
    source.refresh(true).unwrap();
    assert_eq!(answer(&source), "old");
    db.write(&[("*", "allow,W=newer")]);
    source.refresh(false).unwrap();
    assert_eq!(answer(&source), "newer");
    fs::remove_file(&db.0).unwrap();
    fs::write(&db.0, b"no database").unwrap();
    assert!(source.refresh(false).is_err());
    assert!(source.refresh(false).is_ok(), "said once");
    assert_eq!(answer(&source), "newer");
    fs::remove_file(&db.0).unwrap();
    assert!(source.refresh(false).unwrap_err().is_missing());
    assert!(source.refresh(false).is_ok(), "said once");
    db.write(&[("*", "deny")]);
    source.refresh(false).unwrap();
    assert_eq!(answer(&source), "deny");
}

#[test]
fn a_foreign_file_is_no_database() {
    let db = Db::new(&[]);
    fs::write(&db.0, vec![0x13; 5000]).unwrap();
    assert!(matches!(Access::open(&db.0, None), Err(Unusable::Cdb(cdb::Error::Damaged))));
}
