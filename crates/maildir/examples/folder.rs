//! Shows a folder as the library sees it: `folder MAILDIR [.FOLDER]`.
#![allow(clippy::print_stdout)]

use maildir::{FolderName, Root, Settings, base_of, keywords};
use std::time::Instant;

fn main() -> maildir::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let path = std::path::PathBuf::from(args.next().unwrap_or_else(|| "Maildir".into()));
    let directory = args.next().unwrap_or_default();
    let name = FolderName::from_directory(directory.as_encoded_bytes()).unwrap_or(FolderName::INBOX);
    let folder = Root::open(&path, Settings::default())?.folder(&name)?;
    let begin = Instant::now();
    let listing = folder.list()?;
    let took = begin.elapsed();
    let words = keywords::load(&folder, |_| true)?;
    println!("UIDVALIDITY {} UIDNEXT {}", listing.uid_validity, listing.uid_next);
    for entry in listing.iter().take(20) {
        let spelled = words.spell(words.of(base_of(entry.name)));
        let spelled: Vec<_> = spelled.iter().map(|word| String::from_utf8_lossy(word)).collect();
        println!("{} {} {}", entry.uid, String::from_utf8_lossy(entry.name), spelled.join(" "));
    }
    println!("{} messages, {} hidden, proven {}, {took:?}", listing.len(), listing.hidden, listing.proof.is_some());
    Ok(())
}
