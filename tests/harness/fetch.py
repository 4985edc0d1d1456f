"""FETCH responses as Python values: strings are bytes, NIL is None, atoms are `Atom`, parentheses are lists."""

import re


class Atom(bytes):
    """A word that is no string: a number, a flag, an item's name."""


def values(text):
    """All values of `text`, which must be grammatical to its last byte."""
    found, rest = [], memoryview(bytes(text))
    stack, at = [found], 0
    text = bytes(rest)
    while at < len(text):
        byte = text[at : at + 1]
        if byte == b" ":
            # One blank between values, none at an end.
            assert stack[-1] and text[at + 1 : at + 2] not in (b" ", b")", b""), f"a blank too many at {at}: {text[:200]!r}"
            at += 1
        elif byte == b"(":
            stack.append([])
            at += 1
        elif byte == b")":
            assert len(stack) > 1, f"a ) too many at {at}"
            done = stack.pop()
            stack[-1].append(done)
            at += 1
        else:
            value, at = _value(text, at)
            stack[-1].append(value)
    assert len(stack) == 1, f"{len(stack) - 1} ( are open: {text[-200:]!r}"
    return found


def _value(text, at):
    if text[at : at + 1] == b'"':
        match = re.compile(rb'"((?:[^"\\\r\n\0\x80-\xff]|\\["\\])*)"').match(text, at)
        assert match, f"not a quoted string: {text[at:at + 100]!r}"
        return re.sub(rb"\\(.)", rb"\1", match[1]), match.end()
    if text[at : at + 1] == b"{":
        match = re.compile(rb"\{(\d+)\}\r\n").match(text, at)
        assert match, f"not a literal: {text[at:at + 100]!r}"
        end = match.end() + int(match[1])
        assert end <= len(text) and b"\0" not in text[match.end() : end]
        return text[match.end() : end], end
    # BODY[HEADER.FIELDS (A B)]<0> is one name.
    match = re.compile(rb"BODY\[[^\]]*\](<\d+>)?|[^ ()\"{\r\n\0]+").match(text, at)
    assert match, f"not a value at {at}: {text[at:at + 100]!r}"
    return (None if match[0] == b"NIL" else Atom(match[0])), match.end()


def items(data):
    """The items of one FETCH response (the text behind `n FETCH `) as a dictionary from name to value."""
    (pairs,) = values(data)
    assert len(pairs) % 2 == 0, f"a name without a value: {pairs!r}"
    names = pairs[::2]
    assert all(isinstance(name, Atom) for name in names), f"names: {names!r}"
    return {name.decode(): value for name, value in zip(names, pairs[1::2])}


def leaves(body, prefix=()):
    """(part number, structure) of each part that is no multipart, messages inside included."""
    if isinstance(body[0], list):
        parts = [part for part in body if isinstance(part, list) and part and isinstance(part[0], (list, bytes))]
        children = body[: next(place for place, part in enumerate(body) if not isinstance(part, list))]
        assert children and parts
        for number, child in enumerate(children, 1):
            yield from leaves(child, prefix + (number,))
        return
    number = prefix or (1,)
    yield number, body
    if [word.lower() for word in body[:2]] == [b"message", b"rfc822"]:
        inside = body[8]
        if isinstance(inside[0], list):
            yield from leaves(inside, number)
        else:
            yield from leaves(inside, number + (1,))
