use super::*;

fn passed(stage: Stage, given: &[&str]) -> Vec<String> {
    let given: Vec<Cow<'static, CStr>> = given.iter().map(|s| Cow::Owned(CString::new(*s).unwrap())).collect();
    let next = Environment::filtered(stage, given.into_iter());
    let mut names: Vec<String> = next.entries.iter().skip(2).map(|e| e.to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

const ALL: [Stage; 4] = [Stage::Listener, Stage::Login, Stage::Module, Stage::Account];

#[test]
fn path_and_language_are_ours() {
    let next =
        Environment::filtered(Stage::Login, [Cow::Borrowed(c"PATH=/evil"), Cow::Borrowed(c"LANG=de_DE")].into_iter());
    assert_eq!(next.get("PATH"), Some(&b"/usr/local/bin:/usr/bin:/bin"[..]));
    assert_eq!(next.get("LANG"), Some(&b"C"[..]));
    assert_eq!(next.entries().len(), 2);
}

#[test]
fn settings_pass_and_strangers_do_not() {
    let given = [
        "IMAP_CAPABILITY=IMAP4rev1",
        "AUTHSERVICE143=mail",
        "USERDB=/x",
        "LD_PRELOAD=/x",
        "IFS=x",
        "ENV=x",
        "BASH_ENV=x",
        "GLIBC_TUNABLES=x",
        "MALLOC_ARENA_MAX=x",
        "EDITOR=vi",
        "SSLCTLFD=3",
        "noequals",
        "=odd",
    ];
    for stage in ALL {
        let expected = ["AUTHSERVICE143=mail", "IMAP_CAPABILITY=IMAP4rev1", "USERDB=/x"];
        assert_eq!(passed(stage, &given), expected);
    }
}

#[test]
fn passenv_admits_more_but_nothing_owned() {
    let list = "PASSENV=MY_DB OTHER,THIRD LD_PRELOAD IFS ENV BASH_ENV AUTHENTICATED HOME PATH UID";
    let given = [
        list,
        "MY_DB=1",
        "OTHER=2",
        "THIRD=3",
        "FOURTH=4",
        "LD_PRELOAD=x",
        "IFS=x",
        "ENV=x",
        "BASH_ENV=x",
        "AUTHENTICATED=root",
        "HOME=/root",
    ];
    for stage in [Stage::Listener, Stage::Login, Stage::Module] {
        assert_eq!(passed(stage, &given), ["MY_DB=1", "OTHER=2", list, "THIRD=3"]);
    }
}

#[test]
fn each_stage_drops_what_it_owns() {
    let given = [
        "AUTHUSER=/login",
        "AUTHARGC=2",
        "AUTHARGV0=a",
        "AUTHARGV1=b",
        "AUTHEXPIRE=1",
        "AUTHTRIES=1",
        "AUTHLOGIN=u",
        "AUTHREASON=temp",
        "IMAPLOGINTAG=a1",
        "PROTOCOL=IMAP",
        "UTF8=1",
        "UID=7",
        "GID=8",
        "AUTHENTICATED=",
        "MAILDIR=x",
        "HOME=/",
    ];
    assert_eq!(passed(Stage::Listener, &given), ["GID=8", "UID=7"]);
    assert_eq!(passed(Stage::Login, &given), ["GID=8", "UID=7"]);
    let mut rest: Vec<&str> = given[..13].to_vec();
    rest.sort();
    assert_eq!(passed(Stage::Module, &given), rest);
    assert_eq!(passed(Stage::Account, &given), ["IMAPLOGINTAG=a1", "PROTOCOL=IMAP", "UTF8=1"]);
}

#[test]
fn behind_a_module_that_accepted_the_account_passes() {
    let given = ["AUTHENTICATED=john", "AUTHADDR=john@x", "HOME=/h", "MAILDIR=", "OPTIONS=a=b", "AUTHUSER=/login"];
    assert_eq!(
        passed(Stage::Account, &given),
        ["AUTHADDR=john@x", "AUTHENTICATED=john", "HOME=/h", "MAILDIR=", "OPTIONS=a=b"]
    );
    assert_eq!(passed(Stage::Login, &given), [""; 0]);
}

#[test]
fn the_peer_passes_under_its_protocol() {
    let given =
        ["PROTO=TCP6", "TCP6REMOTEIP=::1", "TCPREMOTEIP=::1", "TCPREMOTEHOST=a\u{1}b", "SSLREMOTEIP=1.2.3.4", "TCPX=1"];
    let expected = ["PROTO=TCP6", "TCP6REMOTEIP=::1", "TCPREMOTEIP=::1"];
    for stage in [Stage::Login, Stage::Module, Stage::Account] {
        assert_eq!(passed(stage, &given), expected);
    }
    assert_eq!(passed(Stage::Listener, &given), [""; 0]);
    assert_eq!(passed(Stage::Login, &["PROTO=LD_", "LD_REMOTEIP=x"]), ["PROTO=LD_"]);
    let long = format!("TCPREMOTEHOST={}", "h".repeat(NETWORK_VALUE + 1));
    assert_eq!(passed(Stage::Login, &[&long]), [""; 0]);
}

#[test]
fn what_tls_says_counts_only_where_it_ran() {
    let said = ["SSL_CIPHER=x", "TLS_SUBJECT_CN=john"];
    assert_eq!(passed(Stage::Login, &said), [""; 0]);
    for (sign, off) in [("IMAP_TLS=1", "IMAP_TLS=0"), ("PROTO=SSL", "PROTO=TCP")] {
        assert_eq!(passed(Stage::Login, &[sign, said[0], said[1]]).len(), 3);
        assert_eq!(passed(Stage::Login, &[off, said[0], said[1]]).len(), 1);
        let before = passed(Stage::Listener, &[sign, said[0], said[1]]);
        assert!(!before.iter().any(|v| said.contains(&v.as_str())));
    }
}

#[test]
fn only_plain_zones() {
    for (zone, plain) in [
        ("Europe/Berlin", true),
        ("UTC", true),
        ("Etc/GMT+5", true),
        ("CET-1CEST,M3.5.0,M10.5.0/3", true),
        ("", false),
        (":/etc/passwd", false),
        ("/etc/passwd", false),
        ("Europe/../../../etc/passwd", false),
        ("../x", false),
    ] {
        let given = format!("TZ={zone}");
        assert_eq!(passed(Stage::Login, &[&given]).len(), usize::from(plain), "{zone}");
    }
    let long = format!("TZ={}", "a".repeat(65));
    assert_eq!(passed(Stage::Login, &[&long]), [""; 0]);
}

#[test]
fn the_first_of_two_counts() {
    assert_eq!(passed(Stage::Login, &["USERDB=1", "USERDB=2"]), ["USERDB=1"]);
}

#[test]
fn set_get_and_unset() {
    let mut next = Environment::default();
    next.set("A", b"1");
    next.set("AB", b"2");
    next.set("A", b"3");
    assert_eq!(next.get("A"), Some(&b"3"[..]));
    assert_eq!(next.get("AB"), Some(&b"2"[..]));
    assert_eq!(next.entries().len(), 2);
    next.unset("AB");
    next.set("A", b"x\0y");
    assert_eq!(next.get("A"), None);
    assert!(next.entries().is_empty());
}

proptest::proptest! {
    #[test]
    fn no_stranger_gets_through(entries in proptest::collection::vec("[A-Z_]{1,8}=[a-z/]{0,8}", 0..40)) {
        let given: Vec<&str> = entries.iter().map(String::as_str).collect();
        for stage in ALL {
            for entry in passed(stage, &given) {
                let name = entry.split('=').next().unwrap();
                assert!(!name.starts_with("LD_") && !["IFS", "ENV", "BASH_ENV"].contains(&name));
            }
        }
    }
}
