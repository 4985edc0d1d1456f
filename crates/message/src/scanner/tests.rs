use super::*;
use proptest::prelude::*;

fn scan(message: &[u8]) -> Structure {
    let mut scanner = Scanner::new();
    scanner.push(message);
    scanner.finish()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `mixed(plain "one", rfc822 [plain "two"])`: types, and the bodies of what has no parts.
fn shape(message: &[u8]) -> String {
    let structure = scan(message);
    let mut out = String::new();
    if let Some(root) = structure.root() {
        draw(&structure, root, message, &mut out);
    }
    out
}

fn draw(structure: &Structure, part: &Part, message: &[u8], out: &mut String) {
    out.push_str(&text(&structure.content_type(part).subtype));
    let children: Vec<_> = structure.children(part).collect();
    let (open, close) = match part.kind {
        Kind::Multipart => ("(", ")"),
        Kind::Message => ("[", "]"),
        Kind::Leaf | Kind::Opaque => {
            let body = text(&message[part.body.file as usize..part.end.file as usize]);
            let mark = if part.kind == Kind::Opaque { "!" } else { "" };
            out.push_str(&format!("{mark} {body:?}"));
            return;
        }
    };
    out.push_str(open);
    for (n, child) in children.iter().enumerate() {
        out.push_str(if n > 0 { ", " } else { "" });
        draw(structure, child, message, out);
    }
    out.push_str(close);
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\n\n";

#[test]
fn well_formed_messages() {
    for (message, wanted) in [
        ("Subject: x\n\nbody\n", "plain \"body\\n\""),
        ("Subject: x\r\n\r\nbody\r\n", "plain \"body\\r\\n\""),
        ("Content-Type: text/html\n\n<p>", "html \"<p>\""),
        (
            "Content-Type: multipart/mixed; boundary=\"b\"\n\npre\n--b\n\none\n--b\nContent-Type: a/b\n\ntwo\n\n--b--\nepi\n",
            "mixed(plain \"one\", b \"two\\n\")",
        ),
        (
            "Content-Type: multipart/mixed;\n boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\n1\n--i\n\n2\n--i--\n\n--o\n\n3\n--o--\n",
            "mixed(alternative(plain \"1\", plain \"2\"), plain \"3\")",
        ),
        (
            "Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n",
            "rfc822[mixed(plain \"x\")]",
        ),
        (
            "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--\n",
            "digest(rfc822[plain \"x\"], plain \"y\")",
        ),
    ] {
        assert_eq!(shape(message.as_bytes()), wanted, "{message}");
    }
}

#[test]
fn broken_messages_stay_readable() {
    let in_mixed = |rest: &str| format!("{MIXED}{rest}");
    for (message, wanted) in [
        ("".to_string(), "plain \"\""),
        ("\n".to_string(), "plain \"\""),
        ("\nbody".to_string(), "plain \"body\""),
        ("Subject: no end".to_string(), "plain \"\""),
        ("no header at all\nnone\n\nreally\n".to_string(), "plain \"no header at all\\nnone\\n\\nreally\\n\""),
        ("Subject: x\nno colon\nContent-Type: text/html\n\nb".to_string(), "html \"b\""),
        ("From joe Mon Jan 1\nContent-Type: text/html\n\nb".to_string(), "html \"b\""),
        // no part, no boundary, no end
        (in_mixed(""), "mixed(plain \"\")"),
        (in_mixed("text\n"), "mixed(plain \"\")"),
        ("Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n".to_string(), "mixed(plain \"\")"),
        ("Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n----\n".to_string(), "mixed(plain \"\")"),
        ("Content-Type: multipart/mixed; boundary=b".to_string(), "mixed(plain \"\")"),
        (in_mixed("--b--\n"), "mixed(plain \"\")"),
        (in_mixed("--b\n\nx"), "mixed(plain \"x\")"),
        (in_mixed("--b\n\nx\n--b\n"), "mixed(plain \"x\", plain \"\")"),
        (in_mixed("--b\n--b\n--b--"), "mixed(plain \"\", plain \"\")"),
        // header ended by a boundary
        (in_mixed("--b\nContent-Type: text/html\n--b\n\nx\n--b--"), "mixed(html \"\", plain \"x\")"),
        (in_mixed("--b\nContent-Type: message/rfc822\n--b--"), "mixed(rfc822[plain \"\"])"),
        // a part that has no header and forgot the empty line
        (in_mixed("--b\nhello there\nyou: two\n--b--"), "mixed(plain \"hello there\\nyou: two\")"),
        // blanks behind boundaries; text behind them makes them none
        (in_mixed("--b \t\n\nx\n--b-- \r\ny"), "mixed(plain \"x\")"),
        (in_mixed("--b\n\nx\n--bb\ny\n--b--c\nz\n--b--"), "mixed(plain \"x\\n--bb\\ny\\n--b--c\\nz\")"),
        // nothing begins after the last boundary
        (in_mixed("--b\n\nx\n--b--\n--b\n\ny\n"), "mixed(plain \"x\")"),
        // an outer boundary ends an unclosed inner multipart
        (
            in_mixed("--b\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\n1\n--b\n\n2\n--b--\n"),
            "mixed(mixed(plain \"1\"), plain \"2\")",
        ),
        // one boundary begins with the other, both ways
        (
            in_mixed("--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\n1\n--bb--\n--b\n\n2\n--b--\n"),
            "mixed(mixed(plain \"1\"), plain \"2\")",
        ),
        // the same boundary within
        (
            in_mixed("--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n--b--\n--b\n\n2\n--b--\n"),
            "mixed(mixed(plain \"1\"), plain \"2\")",
        ),
        (
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAo=\n".to_string(),
            "rfc822! \"U3ViamVjdDogeAo=\\n\"",
        ),
        (in_mixed("--b\n\na\0b\n--b--"), "mixed(plain \"a\\0b\")"),
        ("Content-Type: multipart/mixed; boundary=\"a  b\"\n\n--a  b\n\nx\n--a  b--".to_string(), "mixed(plain \"x\")"),
        ("Content-Type: nonsense\n\nx".to_string(), "plain \"x\""),
    ] {
        assert_eq!(shape(message.as_bytes()), wanted, "{message:?}");
    }
}

#[test]
fn offsets_lines_and_fields() {
    let message = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\nContent-ID: <1>\n\n--b\n\none\ntwo\n\n--b\r\n\r\nx\r\n--b--\n";
    let s = scan(message);
    let root = s.root().unwrap();
    assert_eq!(s.field(root, ContentField::Id), Some(&b"<1>"[..]));
    assert_eq!(s.field(root, ContentField::Md5), None);
    assert_eq!(root.header_octets(), 74);
    assert!(root.separated);
    let one = s.find(&[1]).unwrap();
    assert_eq!((one.body_octets(), one.lines), (10, 2));
    let two = s.find(&[2]).unwrap();
    assert_eq!((two.body_octets(), two.lines), (1, 0));
    assert_eq!(s.size().file, message.len() as u64);
    assert_eq!(s.size().wire, ToWire::new().measure(message).0);
    assert!(s.find(&[3]).is_none() && s.find(&[0]).is_none() && s.find(&[1, 1]).is_none());
}

#[test]
fn part_numbers() {
    let message = format!(
        "{MIXED}--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\n11\n--i\n\n12\n--i--\n--b\nContent-Type: message/rfc822\n\nSubject: y\n\n21\n--b--\n"
    );
    let s = scan(message.as_bytes());
    let body = |n: &[u32]| s.find(n).map(|p| text(&message.as_bytes()[p.body.file as usize..p.end.file as usize]));
    assert_eq!(body(&[1, 2]).unwrap(), "12");
    assert_eq!(body(&[2]).unwrap(), "Subject: y\n\n21");
    assert_eq!(body(&[2, 1]).unwrap(), "21");
    assert_eq!(body(&[2, 2]), None);
    assert_eq!(body(&[2, 1, 1]), None);
    assert_eq!(body(&[1, 3]), None);
    let single = scan(b"Subject: x\n\nbody");
    assert_eq!(single.find(&[1]).unwrap().body_octets(), 4);
    assert!(single.find(&[2]).is_none() && single.find(&[1, 1]).is_none());
}

#[test]
fn nesting_ends_at_the_limit() {
    let mut message = String::new();
    for depth in 0..100 {
        message.push_str(&format!("Content-Type: multipart/mixed; boundary=b{depth}x\n\n--b{depth}x\n"));
    }
    message.push_str("\nend\n");
    let s = scan(message.as_bytes());
    assert_eq!(s.parts().len(), MAX_DEPTH + 1);
    assert_eq!(s.parts().last().unwrap().kind, Kind::Opaque);
    let s = scan("Content-Type: message/rfc822\n\n".repeat(1000).as_bytes());
    assert_eq!(s.parts().len(), MAX_DEPTH + 1);
    assert_eq!(s.parts().last().unwrap().kind, Kind::Opaque);
}

#[test]
fn parts_end_at_the_limit() {
    let empty_multipart = "--b\nContent-Type: multipart/mixed\n\n";
    for part in ["--b\n\nx\n", empty_multipart] {
        let s = scan(format!("{MIXED}{}", part.repeat(20_000)).as_bytes());
        assert_eq!(s.parts().len(), MAX_PARTS);
        for part in s.parts().iter().filter(|p| p.kind == Kind::Multipart) {
            assert!(s.children(part).next().is_some());
        }
    }
}

#[test]
fn a_huge_field_is_kept_only_so_far() {
    let message = format!("Content-Type: text/plain; x=\"{}\"\nContent-ID: a\n\nb", "y".repeat(2_000_000));
    let s = scan(message.as_bytes());
    let root = s.root().unwrap();
    assert_eq!(s.field(root, ContentField::Type).unwrap().len(), MAX_KEPT - 1);
    assert_eq!(s.field(root, ContentField::Id), Some(&b"a"[..]));
    let many =
        format!("{MIXED}{}", format!("--b\nContent-Type: text/plain; x=\"{}\"\n\n", "y".repeat(60_000)).repeat(100));
    assert!(scan(many.as_bytes()).text.len() <= MAX_TEXT + MAX_KEPT);
}

#[test]
fn marks_lead_to_any_place() {
    let message = "x\n".repeat(200_000);
    let s = scan(format!("\n{message}").as_bytes());
    for wire in [0, 1, 70_000, 300_000, 599_999] {
        let mark = s.mark_before(wire);
        assert!(mark.wire <= wire && wire - mark.wire <= 2 * 2 * MARK_EVERY, "{wire}");
        assert_eq!(mark.wire, mark.file / 2 * 3 + if mark.file % 2 == 1 { 2 } else { 0 });
    }
}

/// Messages made of what breaks parsers, in any order.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("--a\n"),
        Just("--b\n"),
        Just("--ab\r\n"),
        Just("--a--\n"),
        Just("--b-- \n"),
        Just("--ab--"),
        Just("--"),
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just("\n\n"),
        Just(" folded\n"),
        Just("text\n"),
        Just("no end"),
        Just("Subject: x\n"),
        Just("\0"),
        Just("Content-Type: multipart/mixed; boundary=a\n"),
        Just("Content-Type: multipart/digest; boundary=b\n\n"),
        Just("Content-Type: multipart/mixed; boundary=ab\r\n\r\n"),
        Just("Content-Type: multipart/x\n\n"),
        Just("Content-Type: message/rfc822\n\n"),
        Just("Content-Type: message/rfc822\n"),
        Just("Content-Type:\n"),
        Just("Content-Transfer-Encoding: base64\n"),
        Just("Content-Type: text/plain;\n charset=x\n\n"),
        Just("From \n"),
        Just(":\n"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_structure_holds_together(message in broken()) {
        let s = scan(&message);
        prop_assert!(!s.parts().is_empty());
        prop_assert_eq!(s.size().file, message.len() as u64);
        for (index, part) in s.parts().iter().enumerate() {
            prop_assert!(part.header <= part.body && part.body <= part.end && part.end <= s.size());
            for place in [part.header, part.body, part.end] {
                prop_assert_eq!(place.wire, ToWire::new().measure(&message[..place.file as usize]).0);
            }
            let body = &message[part.body.file as usize..part.end.file as usize];
            prop_assert_eq!(part.lines, body.iter().filter(|b| **b == b'\n').count() as u64);
            let children: Vec<_> = s.children(part).collect();
            match part.kind {
                Kind::Leaf | Kind::Opaque => prop_assert!(children.is_empty()),
                Kind::Multipart => prop_assert!(!children.is_empty()),
                Kind::Message => prop_assert_eq!(children.len(), 1),
            }
            let mut at = part.body;
            for child in children {
                prop_assert_eq!(child.parent, Some(index as u32));
                prop_assert!(child.header >= at && child.end <= part.end);
                at = child.end;
            }
        }
    }

    #[test]
    fn pieces_do_not_matter(message in broken(), piece in 1usize..9) {
        let mut scanner = Scanner::new();
        message.chunks(piece).for_each(|p| scanner.push(p));
        prop_assert_eq!(format!("{:?}", scanner.finish()), format!("{:?}", scan(&message)));
    }

    #[test]
    fn any_bytes_are_a_message(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(scan(&message).size().file, message.len() as u64);
    }
}

#[test]
fn time_is_linear() {
    let grown = |unit: &str, times: usize| {
        let message = format!("{MIXED}{}", unit.repeat(times));
        let begun = std::time::Instant::now();
        scan(message.as_bytes());
        begun.elapsed()
    };
    for unit in [
        "--b\n\n",
        "--",
        "Content-Type: x;\n",
        "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\n",
        "a: b\n",
        " x\n",
    ] {
        // Another process may have the processor: one good measurement is enough.
        let linear = (0..20).any(|_| {
            let small = grown(unit, 500).max(std::time::Duration::from_micros(200));
            grown(unit, 32_000) <= small * 80
        });
        assert!(linear, "{unit:?}");
    }
}
