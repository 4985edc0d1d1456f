//! SEARCH (RFC 3501 section 6.4.4).

use crate::date::Date;
use crate::error::{Parsed, limit, syntax};
use crate::flag::Flag;
use crate::lexer::Lexer;
use crate::sequence::SequenceSet;

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The answer holds UIDs.
    pub uid: bool,
    /// The charset of the strings, if named.
    pub charset: Option<Vec<u8>>,
    /// What a message must meet.
    pub key: SearchKey,
}

/// A condition. The UN- forms are negations; strings are as sent, in the search's charset.
///
/// The tree is at most [`Rules::nesting`](crate::Rules) deep: an ALL of ALLs and an OR of ORs is one list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFC's own")]
pub enum SearchKey {
    All,
    /// All of two or more.
    And(Vec<SearchKey>),
    /// One of two or more.
    Or(Vec<SearchKey>),
    Not(Box<SearchKey>),
    Flag(Flag),
    Keyword(Vec<u8>),
    Recent,
    /// Message numbers.
    Set(SequenceSet),
    Uid(SequenceSet),
    Before(Date),
    On(Date),
    Since(Date),
    SentBefore(Date),
    SentOn(Date),
    SentSince(Date),
    Larger(u64),
    Smaller(u64),
    Bcc(Vec<u8>),
    Cc(Vec<u8>),
    From(Vec<u8>),
    To(Vec<u8>),
    Subject(Vec<u8>),
    Header {
        field: Vec<u8>,
        value: Vec<u8>,
    },
    Body(Vec<u8>),
    Text(Vec<u8>),
}

pub(crate) fn parse(lexer: &mut Lexer<'_>, uid: bool) -> Parsed<Search> {
    lexer.space()?;
    let mut charset = None;
    if lexer.rest().get(..8).is_some_and(|word| word.eq_ignore_ascii_case(b"CHARSET ")) {
        lexer.word()?;
        lexer.space()?;
        charset = Some(lexer.astring()?);
        lexer.space()?;
    }
    Ok(Search { uid, charset, key: keys(lexer)? })
}

/// A key with the depth of its tree.
struct Node {
    key: SearchKey,
    depth: usize,
}

/// What waits for the key that is read next.
enum Open {
    /// Keys side by side: the command itself, or a parenthesis.
    All(Vec<Node>),
    Not,
    Or,
    OrSecond(Node),
}

/// All keys to the command's end, with a stack of our own: nesting costs no more than its bytes.
pub(crate) fn keys(lexer: &mut Lexer<'_>) -> Parsed<SearchKey> {
    let mut open = vec![Open::All(Vec::new())];
    let mut leaves = 0;
    loop {
        if let Some(waiting) = opening(lexer)? {
            open.push(waiting);
            continue;
        }
        leaves += 1;
        if leaves > lexer.rules.search_keys {
            return Err(limit("Too many search keys"));
        }
        let key = leaf(lexer)?;
        let depth = match key {
            SearchKey::And(_) => 3,
            SearchKey::Not(_) => 2,
            _ => 1,
        };
        let leaf = Node { key, depth };
        if let Some(key) = close(lexer, &mut open, leaf)? {
            return Ok(key);
        }
    }
}

fn opening(lexer: &mut Lexer<'_>) -> Parsed<Option<Open>> {
    if lexer.eat(b'(') {
        return Ok(Some(Open::All(Vec::new())));
    }
    let mut starts = |word: &[u8]| {
        let found = lexer.rest().get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if found {
            lexer.take_while(|byte| byte != b' ');
            lexer.eat(b' ');
        }
        found
    };
    if starts(b"NOT ") {
        return Ok(Some(Open::Not));
    }
    Ok(starts(b"OR ").then_some(Open::Or))
}

/// Puts a finished key where it was waited for; the whole search, when nothing waits any more.
fn close(lexer: &mut Lexer<'_>, open: &mut Vec<Open>, node: Node) -> Parsed<Option<SearchKey>> {
    let mut node = node;
    loop {
        if node.depth > lexer.rules.nesting {
            return Err(limit("Search keys nested too deep"));
        }
        node = match open.pop() {
            None => return Ok(Some(node.key)),
            Some(Open::Not) => not(node),
            Some(Open::Or) => {
                lexer.space()?;
                open.push(Open::OrSecond(node));
                return Ok(None);
            }
            Some(Open::OrSecond(first)) => or(first, node),
            Some(Open::All(mut nodes)) => {
                nodes.push(node);
                let last = open.is_empty();
                if lexer.eat(b' ') && !(last && lexer.at_end()) {
                    open.push(Open::All(nodes));
                    return Ok(None);
                }
                if !last {
                    lexer.expect(b')', "Unterminated list of search keys")?;
                }
                and(nodes)
            }
        };
    }
}

fn not(node: Node) -> Node {
    match node.key {
        SearchKey::Not(inner) => Node { key: *inner, depth: node.depth.saturating_sub(1) },
        key => Node { key: SearchKey::Not(Box::new(key)), depth: node.depth + 1 },
    }
}

fn or(first: Node, second: Node) -> Node {
    let mut depth = 0;
    let mut keys = Vec::new();
    for node in [first, second] {
        match node.key {
            SearchKey::Or(inner) => {
                depth = depth.max(node.depth);
                if keys.is_empty() {
                    keys = inner;
                } else {
                    keys.extend(inner);
                }
            }
            key => {
                depth = depth.max(node.depth + 1);
                keys.push(key);
            }
        }
    }
    Node { key: SearchKey::Or(keys), depth }
}

fn and(nodes: Vec<Node>) -> Node {
    let mut depth = 0;
    let mut keys = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node.key {
            SearchKey::And(inner) => {
                depth = depth.max(node.depth);
                keys.extend(inner);
            }
            key => {
                depth = depth.max(node.depth + 1);
                keys.push(key);
            }
        }
    }
    match keys.pop() {
        Some(only) if keys.is_empty() => Node { key: only, depth: depth - 1 },
        Some(last) => {
            keys.push(last);
            Node { key: SearchKey::And(keys), depth }
        }
        None => Node { key: SearchKey::All, depth: 1 },
    }
}

fn leaf(lexer: &mut Lexer<'_>) -> Parsed<SearchKey> {
    if lexer.peek().is_some_and(|byte| byte.is_ascii_digit() || byte == b'*') {
        return Ok(SearchKey::Set(SequenceSet::parse(lexer)?));
    }
    let word = lexer.word().map_err(|_| syntax("Search key expected"))?.to_ascii_uppercase();
    if let Some(key) = flag_key(&word) {
        return Ok(key);
    }
    let with_string: Option<fn(Vec<u8>) -> SearchKey> = match word.as_slice() {
        b"BCC" => Some(SearchKey::Bcc),
        b"BODY" => Some(SearchKey::Body),
        b"CC" => Some(SearchKey::Cc),
        b"FROM" => Some(SearchKey::From),
        b"SUBJECT" => Some(SearchKey::Subject),
        b"TEXT" => Some(SearchKey::Text),
        b"TO" => Some(SearchKey::To),
        _ => None,
    };
    if let Some(key) = with_string {
        lexer.space()?;
        return Ok(key(lexer.astring()?));
    }
    let with_date: Option<fn(Date) -> SearchKey> = match word.as_slice() {
        b"BEFORE" => Some(SearchKey::Before),
        b"ON" => Some(SearchKey::On),
        b"SINCE" => Some(SearchKey::Since),
        b"SENTBEFORE" => Some(SearchKey::SentBefore),
        b"SENTON" => Some(SearchKey::SentOn),
        b"SENTSINCE" => Some(SearchKey::SentSince),
        _ => None,
    };
    if let Some(key) = with_date {
        lexer.space()?;
        return Ok(key(date(lexer)?));
    }
    other_key(&word, lexer)
}

fn flag_key(word: &[u8]) -> Option<SearchKey> {
    let has = SearchKey::Flag;
    let not = |key| SearchKey::Not(Box::new(key));
    Some(match word {
        b"ALL" => SearchKey::All,
        b"ANSWERED" => has(Flag::Answered),
        b"DELETED" => has(Flag::Deleted),
        b"DRAFT" => has(Flag::Draft),
        b"FLAGGED" => has(Flag::Flagged),
        b"SEEN" => has(Flag::Seen),
        b"RECENT" => SearchKey::Recent,
        b"UNANSWERED" => not(has(Flag::Answered)),
        b"UNDELETED" => not(has(Flag::Deleted)),
        b"UNDRAFT" => not(has(Flag::Draft)),
        b"UNFLAGGED" => not(has(Flag::Flagged)),
        b"UNSEEN" => not(has(Flag::Seen)),
        b"OLD" => not(SearchKey::Recent),
        b"NEW" => SearchKey::And(vec![SearchKey::Recent, not(has(Flag::Seen))]),
        _ => return None,
    })
}

fn other_key(word: &[u8], lexer: &mut Lexer<'_>) -> Parsed<SearchKey> {
    let known = matches!(word, b"HEADER" | b"KEYWORD" | b"UNKEYWORD" | b"LARGER" | b"SMALLER" | b"UID");
    if !known {
        return Err(syntax("Unknown search key"));
    }
    lexer.space()?;
    Ok(match word {
        b"HEADER" => {
            let field = lexer.astring()?;
            lexer.space()?;
            SearchKey::Header { field, value: lexer.astring()? }
        }
        b"KEYWORD" => SearchKey::Keyword(lexer.atom()?.to_vec()),
        b"UNKEYWORD" => SearchKey::Not(Box::new(SearchKey::Keyword(lexer.atom()?.to_vec()))),
        b"LARGER" => SearchKey::Larger(lexer.number64()?),
        b"SMALLER" => SearchKey::Smaller(lexer.number64()?),
        _ => SearchKey::Uid(SequenceSet::parse(lexer)?),
    })
}

/// date, quoted or not.
fn date(lexer: &mut Lexer<'_>) -> Parsed<Date> {
    let text = match lexer.peek() {
        Some(b'"') => lexer.string()?,
        _ => lexer.atom()?.to_vec(),
    };
    Date::parse(&text).ok_or(syntax("Invalid date"))
}

#[cfg(test)]
mod tests;
