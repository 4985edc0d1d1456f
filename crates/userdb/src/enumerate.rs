//! `authenumerate [-s] [-o] [-m MODULES]`: lists the accounts that the modules know.

use crate::output::print;
use crate::{default_source, modules};
use account::userdb::{Error, Userdb};
use account::{Account, Options};
use chain::{Program, exit};
use std::ffi::OsString;
use std::path::Path;

const PROGRAM: Program = Program::new("authenumerate");
/// Courier's code for a list that is not complete.
const INCOMPLETE: i32 = 1;
/// Debian's policy: the system's own accounts stand below, `nobody` above.
const PEOPLE: std::ops::Range<u32> = 1000..65_534;

/// Runs the program with these arguments; gives its exit code.
pub fn run(args: &[OsString]) -> i32 {
    let mut options = getopts::Options::new();
    options.parsing_style(getopts::ParsingStyle::StopAtFirstFree);
    options.optflagmulti("s", "", "").optflagmulti("o", "", "").optmulti("m", "", "", "");
    let Some(chosen) = options.parse(args).ok().filter(|chosen| chosen.free.is_empty()) else {
        PROGRAM.fatal(exit::PERMANENT, b"usage: authenumerate [-s] [-o] [-m modules]");
    };
    let (mut text, mut is_complete, mut is_passwd_listed) = (Vec::new(), true, false);
    for module in modules::list(chosen.opt_strs("m").last().map(String::as_str)) {
        let name = module.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let accounts = match name {
            "authuserdb" => of_userdb(),
            // Both know the same accounts.
            "authpwd" | "authshadow" if is_passwd_listed => Ok(Vec::new()),
            "authpwd" | "authshadow" => {
                is_passwd_listed = true;
                of_passwd(Path::new("/etc/passwd"))
            }
            _ => Err(format!("{name}: its accounts cannot be listed").into_bytes()),
        };
        match accounts {
            Ok(accounts) => accounts.iter().for_each(|account| push_line(&mut text, account, &chosen)),
            Err(what) => {
                PROGRAM.warn(&what);
                is_complete = false;
            }
        }
    }
    if print(&text).is_ok() && is_complete { exit::DONE } else { INCOMPLETE }
}

fn push_line(text: &mut Vec<u8>, account: &Account, chosen: &getopts::Matches) {
    if chosen.opt_present("s") && Options(&account.options).is_on("disableshared") {
        return;
    }
    let (uid, gid) = (account.uid.to_string(), account.gid.to_string());
    let fields: [&[u8]; 5] = [&account.address, uid.as_bytes(), gid.as_bytes(), &account.home, &account.maildir];
    text.extend(fields.join(&b'\t'));
    if chosen.opt_present("o") {
        text.push(b'\t');
        text.extend_from_slice(&account.options);
    }
    text.push(b'\n');
}

fn of_userdb() -> Result<Vec<Account>, Vec<u8>> {
    let what = |e: Error| e.to_string().into_bytes();
    let Some(userdb) = Userdb::open(&default_source()).map_err(what)? else {
        return Ok(Vec::new());
    };
    let mut accounts = Vec::new();
    for entry in userdb.entries().map_err(what)? {
        // A record without ids and home directory is no account.
        accounts.extend(entry.map_err(what)?.account());
    }
    Ok(accounts)
}

fn of_passwd(path: &Path) -> Result<Vec<Account>, Vec<u8>> {
    let text = std::fs::read(path).map_err(|e| crate::output::unable("read", path, &e))?;
    Ok(text.split(|&byte| byte == b'\n').filter_map(person).collect())
}

fn person(line: &[u8]) -> Option<Account> {
    let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
    let &[name, _, uid, gid, _, home, ..] = fields.as_slice() else {
        return None;
    };
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
    let (uid, gid) = (number(uid)?, number(gid)?);
    let account = Account { address: name.to_vec(), uid, gid, home: home.to_vec(), ..Account::default() };
    PEOPLE.contains(&uid).then_some(account)
}
