"""What the black-box tests share: places, programs, servers, conversations, mail, and an independent reader of a Maildir."""
