//! Shows a folder as the library sees it, or adds standard input to it: `folder MAILDIR [.FOLDER] [add|flag|empty]`.

use maildir::{Batch, Flags, Folder, FolderName, Root, Settings, base_of, keywords};
use std::io::{Read, Write};

fn main() {
    if let Err(e) = run() {
        let _ = writeln!(std::io::stdout(), "failed: {e}");
        std::process::exit(1);
    }
}

fn run() -> maildir::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let path = std::path::PathBuf::from(args.next().unwrap_or_else(|| "Maildir".into()));
    let directory = args.next().unwrap_or_default();
    let name = FolderName::from_directory(directory.as_encoded_bytes()).unwrap_or(FolderName::INBOX);
    let folder = Root::open(&path, Settings::default())?.folder(&name)?;
    match args.next().unwrap_or_default().as_encoded_bytes() {
        b"add" => add(folder),
        b"flag" => flag(&folder),
        b"empty" => empty(&folder),
        _ => show(&folder),
    }
}

fn show(folder: &Folder) -> maildir::Result<()> {
    let listing = folder.list()?;
    let words = keywords::load(folder, |_| true)?;
    let _ = writeln!(std::io::stdout(), "{} {}", listing.uid_validity, listing.uid_next);
    for entry in listing.iter().take(1000) {
        let spelled = words.spell(words.of(base_of(entry.name)));
        let spelled: Vec<_> = spelled.iter().map(|word| String::from_utf8_lossy(word)).collect();
        let _ =
            writeln!(std::io::stdout(), "{} {} {}", entry.uid, String::from_utf8_lossy(entry.name), spelled.join(","));
    }
    let _ = writeln!(std::io::stdout(), "{} messages, {} hidden, {:?}", listing.len(), listing.hidden, listing.trouble);
    Ok(())
}

fn add(folder: Folder) -> maildir::Result<()> {
    let mut text = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut text);
    let mut batch = Batch::new(folder);
    for flags in [Flags::SEEN, Flags::FLAGGED] {
        batch.begin(None)?;
        batch.write(&text)?;
        batch.finish(flags, &[b"Work".to_vec()])?;
    }
    let placed = batch.commit()?;
    let _ = writeln!(std::io::stdout(), "added {} {:?}", placed.uid_validity, placed.uids);
    Ok(())
}

fn flag(folder: &Folder) -> maildir::Result<()> {
    for entry in folder.list()?.iter() {
        folder.change_flags(entry.name, |flags| flags | Flags::FLAGGED)?;
    }
    folder.sync_flags()?;
    let _ = writeln!(std::io::stdout(), "flagged");
    Ok(())
}

fn empty(folder: &Folder) -> maildir::Result<()> {
    for entry in folder.list()?.iter() {
        folder.remove(entry.name)?;
    }
    folder.sync_expunge()?;
    let _ = writeln!(std::io::stdout(), "emptied");
    Ok(())
}
