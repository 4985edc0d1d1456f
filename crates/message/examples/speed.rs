//! How fast the scanner and the decoders are, on mail made here: `cargo run --release -p message --example speed`.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use message::find::{Haystack, Needle};
use message::transfer::Decoder;
use message::{Scanner, ToWire};

const SIZE: usize = 16 << 20;

fn main() -> std::io::Result<()> {
    let text = "The quick brown fox jumps over the lazy dog, and again, and once more.\n".repeat(SIZE / 71);
    let encoded = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZywgYW5kIGFnYWluLg==\n".repeat(SIZE / 77);
    let quoted = "Gr=C3=BC=C3=9Fe aus K=C3=B6ln, und sonst ist hier nichts Besonderes zu sehen=\n".repeat(SIZE / 76);
    let plain = format!("Subject: x\n\n{text}");
    let mixed = format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n--b--\n");
    let small = "Subject: x\nFrom: a@b\nTo: c@d\nDate: Fri, 21 Nov 1997 09:55:06 -0600\n\n".to_string()
        + text.get(..2000).unwrap_or("");
    measure("scan, one part", plain.len(), || scan(plain.as_bytes()))?;
    measure("scan, multipart", mixed.len(), || scan(mixed.as_bytes()))?;
    measure("scan, 2 kB messages", small.len() * 1000, || (0..1000).map(|_| scan(small.as_bytes())).sum())?;
    measure("to wire", text.len(), || {
        let (mut wire, mut out) = (ToWire::new(), Vec::new());
        text.as_bytes().chunks(65_536).fold(0, |sum, piece| {
            out.clear();
            wire.append(piece, &mut out);
            sum + out.len()
        })
    })?;
    for (name, text, decoder) in
        [("base64", &encoded, Decoder::base64()), ("quoted-printable", &quoted, Decoder::quoted_printable())]
    {
        measure(name, text.len(), || {
            let (mut decoder, mut out) = (decoder.clone(), Vec::new());
            text.as_bytes().chunks(65_536).fold(0, |sum, piece| {
                out.clear();
                decoder.push(piece, &mut out);
                sum + out.len()
            })
        })?;
    }
    let needle = Needle::new("Nowhere");
    measure("find", text.len(), || {
        let mut hay = Haystack::new(needle.len());
        let mut rest = text.as_str();
        let mut found = 0;
        while let Some((piece, tail)) =
            rest.split_at_checked(65_536.min(rest.len())).filter(|(piece, _)| !piece.is_empty())
        {
            hay.push(piece);
            found += usize::from(hay.has(&needle));
            rest = tail;
        }
        found
    })
}

fn scan(message: &[u8]) -> usize {
    let mut scanner = Scanner::new();
    message.chunks(65_536).for_each(|piece| scanner.push(piece));
    scanner.finish().parts().len()
}

fn measure(name: &str, bytes: usize, mut work: impl FnMut() -> usize) -> std::io::Result<()> {
    let best = (0..5).map(|_| {
        let begun = Instant::now();
        black_box(work());
        begun.elapsed()
    });
    let seconds = best.min().unwrap_or_default().as_secs_f64();
    writeln!(std::io::stdout(), "{name:20} {:8.0} MB/s", bytes as f64 / seconds / 1e6)
}
