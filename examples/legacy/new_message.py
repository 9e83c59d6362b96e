"""python3 new_message.py URL LOGIN PASSWORD TICKET TEXT [FILE]: adds a message by the old endpoint."""
import base64, json, os, sys, urllib.error, urllib.request, uuid

if len(sys.argv) < 6:
    sys.exit(__doc__)
url, login, password, ticket, text, *files = sys.argv[1:]
attachments = [
    {"FileName": os.path.basename(file), "ContentType": "application/octet-stream",
     "Data": base64.b64encode(open(file, "rb").read()).decode()}
    for file in files
]
request = urllib.request.Request(
    url.rstrip("/") + "/api/Tickets/NewMessage",
    json.dumps({"TicketREF": ticket, "Message": text, "Attachments": attachments}).encode(),
    {
        "Content-Type": "application/json",
        "Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode(),
        # New: the same key again adds nothing, so that a call may be repeated.
        "Idempotency-Key": str(uuid.uuid4()),
    },
)
try:
    print(json.load(urllib.request.urlopen(request, timeout=30))["TicketMessageId"])
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code} {json.load(error)['Message']}")
except urllib.error.URLError as error:
    sys.exit(f"{url} does not answer: {error.reason}")
