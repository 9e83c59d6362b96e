"""python3 client.py URL MODE FILE TYPE: sends FILE, prints the status and the answer."""
import base64, http.client, os, socket, sys, urllib.error, urllib.parse, urllib.request

url, mode, file, media_type = sys.argv[1:]
authorization = 'Basic ' + base64.b64encode(b'operator:operator').decode()
headers = {'Content-Type': media_type}

if mode == 'challenge':
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, url, 'operator', 'operator')
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    answer = opener.open(urllib.request.Request(url, open(file, 'rb').read(), headers))
    print(answer.status, answer.read().decode())
elif mode == 'expect':
    # http.client does not wait for 100, so this one does it by hand, as suds and others do.
    where = urllib.parse.urlsplit(url)
    connection = socket.create_connection((where.hostname, where.port))
    size = os.path.getsize(file)
    head = (f'POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: {media_type}\r\n'
            f'Authorization: {authorization}\r\nContent-Length: {size}\r\nExpect: 100-continue\r\n\r\n')
    connection.sendall(head.encode())
    reader = connection.makefile('rb')
    first = reader.readline()
    if b' 100 ' not in first:
        sys.exit(f'no 100: {first}')
    reader.readline()
    connection.sendfile(open(file, 'rb'))
    status = reader.readline().split()[1].decode()
    length = 0
    while (line := reader.readline()).strip():
        name, _, value = line.partition(b':')
        length = int(value) if name.lower() == b'content-length' else length
    print(status, reader.read(length).decode())
else:
    # A body without a length goes in chunks.
    body = open(file, 'rb') if mode == 'big' else open(file, 'rb').read()
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
    headers = {**headers, 'Authorization': authorization}
    connection.request('POST', urllib.parse.urlsplit(url).path, body, headers)
    answer = connection.getresponse()
    print(answer.status, answer.read().decode())
