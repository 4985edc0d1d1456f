//! Lets any checkpassword program decide a login of the chain.
//!
//! `authcheckpassword CHECKPASSWORD [WORDS --] NEXT ...` runs `CHECKPASSWORD WORDS authcheckpassword -report` in a child.
//! As the child's next program it only tells whom checkpassword made of it; the parent becomes the same.
#![forbid(unsafe_code)]

mod ask;
mod listen;
mod report;

use account::Account;
use ask::Answer;
use authmodule::{Attempt, Module, Secret};
use chain::{Chain, Groups, Program, Request};
use listen::Sender;
use report::Report;
use std::ffi::OsString;

const PROGRAM: Program = Program::new("authcheckpassword");
/// What the child's next program is called with.
const REPORT: &str = "-report";

fn main() {
    let args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|word| word == REPORT) {
        std::process::exit(report::write());
    }
    let (checkpassword, rest) = divide(args);
    let length = rest.len();
    let module = Module::with_chain(PROGRAM, Chain::with_arguments(PROGRAM, rest), length);
    let request = module.request();
    let attempt = module.attempt(&request);
    match answer(&checkpassword, &request, &attempt) {
        Answer::Accepted(report, sender) => become_account(&module, &attempt, report, sender),
        Answer::Refused => {
            module.debug.rejected();
            module.chain.reject(&request)
        }
        Answer::Failed(what) => {
            PROGRAM.warn(&what);
            module.debug.failed();
            module.chain.fail_completely()
        }
    }
}

/// The checkpassword program with its words, and the chain as if it were not there.
fn divide(mut args: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let Some(end) = args.iter().position(|word| word == "--") else {
        let checkpassword = if args.len() > 1 { vec![args.remove(1)] } else { Vec::new() };
        return (checkpassword, args);
    };
    let behind = args.split_off(end);
    let words = args.split_off(1.min(args.len()));
    args.extend(behind.into_iter().skip(1));
    (words, args)
}

fn answer(checkpassword: &[OsString], request: &Request, attempt: &Attempt<'_>) -> Answer {
    let Secret::Password(password) = attempt.secret else {
        // It knows of nobody without a password.
        return Answer::Refused;
    };
    if attempt.is_checkpassword {
        return ask::ask(checkpassword, request);
    }
    let time = sys::clock::seconds().to_string();
    match Request::checkpassword(attempt.user, password, time.as_bytes()) {
        Ok(request) => ask::ask(checkpassword, &request),
        // Longer than its 512 bytes: nothing that it could know.
        Err(_) => Answer::Refused,
    }
}

fn become_account(module: &Module, attempt: &Attempt<'_>, report: Report, sender: Sender) -> ! {
    let account = Account {
        address: if report.user.is_empty() { attempt.user.to_vec() } else { report.user },
        system_user: None,
        uid: sender.uid,
        gid: sender.gid,
        home: report.directory,
        fullname: report.fullname,
        maildir: report.maildir,
        quota: report.quota,
        options: report.options,
        shell: report.shell,
    };
    module.accept_with(attempt, &account, Groups::These(sender.groups))
}

#[cfg(test)]
mod tests {
    use super::divide;
    use std::ffi::OsString;

    fn divided(line: &str) -> (String, String) {
        let args = line.split(' ').map(OsString::from).collect();
        let (words, rest) = divide(args);
        let join = |words: Vec<OsString>| words.join(" ".as_ref()).into_string().unwrap();
        (join(words), join(rest))
    }

    #[test]
    fn words_and_the_rest() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(divided("own check imapd Maildir"), pair("check", "own imapd Maildir"));
        assert_eq!(divided("own check -s x -- imapd Maildir"), pair("check -s x", "own imapd Maildir"));
        assert_eq!(divided("own check"), pair("check", "own"));
        assert_eq!(divided("own"), pair("", "own"));
        assert_eq!(divided("own -- imapd"), pair("", "own imapd"));
        assert_eq!(divided("own check --"), pair("check", "own"));
    }
}
