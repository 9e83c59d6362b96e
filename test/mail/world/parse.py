"""Reads mails with Python's e-mail package, which shares no code with ours, and tells what it finds as JSON.

Each line of the input is a path; each line of the output an object with the defects of all headers and parts.
"""
import base64, email, email.policy, json, sys

for line in sys.stdin:
    with open(line.rstrip("\n"), "rb") as file:
        raw = file.read()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    defects, parts = [], []
    for part in mail.walk():
        defects += [repr(d) for d in part.defects]
        for name, value in part.items():
            defects += [f"{name}: {d!r}" for d in getattr(value, "defects", [])]
        if not part.is_multipart():
            body = part.get_payload(decode=True)
            parts.append({
                "type": part.get_content_type(), "name": part.get_filename(),
                "cid": part["content-id"] and str(part["content-id"]),
                "disposition": part.get_content_disposition(),
                "parameters": dict(part["content-type"].params), "body": base64.b64encode(body).decode(),
            })
    # Raw UTF-8 (RFC 6532) comes out of Python's parser as surrogates.
    plain = lambda text: text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    addresses = lambda name: [] if mail[name] is None else mail[name].addresses
    people = lambda name: [[plain(a.display_name), plain(a.addr_spec)] for a in addresses(name)]
    print(json.dumps({
        "defects": defects, "headers": [[k, str(v)] for k, v in mail.items()], "parts": parts,
        "from": people("from"), "to": people("to"), "cc": people("cc"),
        "longestLine": max(len(line) for line in raw.replace(b"\r\n", b"\n").split(b"\n")),
        "bareBreaks": raw.replace(b"\r\n", b"").count(b"\n") + raw.replace(b"\r\n", b"").count(b"\r"),
        "tree": [p.get_content_type() for p in mail.walk()],
    }), flush=True)
