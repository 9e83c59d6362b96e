import socket,base64,json,re,time
def raw(b,t=2):
    s=socket.create_connection(('127.0.0.1',4601)); s.settimeout(t); s.sendall(b)
    out=b''
    try:
        while True:
            d=s.recv(65536)
            if not d: break
            out+=d
            if len(out)>200000: break
    except Exception: pass
    s.close(); return out
def req(path,h=b'',method=b'GET',body=b''):
    return method+b' '+path+b' HTTP/1.1\r\nHost: 127.0.0.1:4601\r\nConnection: close\r\n'+h+(b'Content-Length: %d\r\n'%len(body) if body or method==b'POST' else b'')+b'\r\n'+body
C=b'canary7secret'
auth=b'Authorization: Basic '+base64.b64encode(b'olga:pw-olga-1')+b'\r\n'
J=b'Content-Type: application/json\r\n'
cases={
 'esc in path':req(b'/\x1b[31mred'), 'c1 in path':req(b'/\xc2\x9b31mred'),'latin c1':req(b'/\x9b31m'),'bidi path':req('/\u202egnp'.encode()),'%1b path':req(b'/%1b[31m'),'%0a path':req(b'/%0aINJECT'),'lf path':b'GET /a\nINJECT HTTP/1.1\r\nHost: x\r\n\r\n','nul path':req(b'/a\x00b'),'del':req(b'/a\x7fb'),'tab path':req(b'/a\tb'),
 'long path':req(b'/'+b'p'*20000),'query secret':req(b'/graphql?access_token='+C+b'&query=%7Bviewer%7Blogin%7D%7D'),'path secret':req(b'/attachments/'+C+b'/x'),'path token':req(b'/reset/'+C),'fragment':req(b'/x#'+C),'userinfo target':b'GET http://u:'+C+b'@127.0.0.1:4601/ HTTP/1.1\r\nHost: x\r\n\r\n',
 'ua':req(b'/api',b'User-Agent: '+C+b'\x1b[0m\r\n'),'referer':req(b'/x',b'Referer: http://x/?'+C+b'\r\n'),'cookie':req(b'/graphql',b'Cookie: s='+C+b'\r\n'),'xrid crlf':req(b'/x',b'X-Request-Id: aaaaaaaa%0d%0aSet-Cookie:x\r\n'),'xrid secret':req(b'/x',b'X-Request-Id: '+C+b'\r\n'),'xrid u2028':req(b'/x','X-Request-Id: aaaaaaaa\u2028b\r\n'.encode()),
 'method':req(b'/x',method=b'CANARY7'),'method long':b'A'*5000+b' / HTTP/1.1\r\n\r\n','basic':req(b'/graphql',b'Authorization: Basic '+base64.b64encode(b'nobody:'+C)+b'\r\n'+J,b'POST',b'{"query":"{viewer{login}}"}'),'login':req(b'/graphql',b'Authorization: Basic '+base64.b64encode(C+b':x')+b'\r\n'+J,b'POST',b'{"query":"{viewer{login}}"}'),'bearer':req(b'/graphql',b'Authorization: Bearer tw_'+C+b'\r\n'+J,b'POST',b'{"query":"{viewer{login}}"}'),'authscheme':req(b'/graphql',b'Authorization: '+C+b' x\r\n'+J,b'POST',b'{"query":"{viewer{login}}"}'),
 'op name':req(b'/graphql',auth+J,b'POST',b'{"query":"query '+C+b'{viewer{login}}"}'),'op name arg':req(b'/graphql',auth+J,b'POST',b'{"operationName":"\\u001b'+C+b'","query":"query a{viewer{login}}"}'),'field':req(b'/graphql',auth+J,b'POST',b'{"query":"{'+C+b'}"}'),'string lit':req(b'/graphql',auth+J,b'POST',b'{"query":"{ticket(by:{reference:\\"'+C+b'\\"}){subject}}"}'),'variable':req(b'/graphql',auth+J,b'POST',b'{"query":"query($r:TicketBy!){ticket(by:$r){subject}}","variables":{"r":{"ticketId":"'+C+b'"}}}'),'enum':req(b'/graphql',auth+J,b'POST',b'{"query":"{tickets(first:1,filter:{status:'+C+b'}){nodes{subject}}}"}'),'ext':req(b'/graphql',auth+J,b'POST',b'{"query":"{viewer{login}}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"'+C+b'"}}}'),'docid':req(b'/graphql',auth+J,b'POST',b'{"documentId":"'+C+b'"}'),'idem':req(b'/graphql',auth+J+b'Idempotency-Key: '+C+b'\x1b\r\n',b'POST',b'{"query":"{viewer{login}}"}'),'badjson':req(b'/graphql',auth+J,b'POST',b'{"query":"'+C),'ctype':req(b'/graphql',auth+b'Content-Type: text/'+C+b'\r\n',b'POST',b'x'),'accept':req(b'/graphql',auth+J+b'Accept: application/'+C+b'\r\n',b'POST',b'{"query":"{viewer{login}}"}'),'traceparent':req(b'/x',b'traceparent: '+C+b'\r\n'),'xff':req(b'/graphql',b'X-Forwarded-For: '+C+b'\r\n'),'host':b'GET /x HTTP/1.1\r\nHost: '+C+b'\r\nConnection: close\r\n\r\n','bad host':b'GET /x HTTP/1.1\r\nHost: a b'+C+b'\r\nConnection: close\r\n\r\n','origin':req(b'/graphql',b'Origin: http://'+C+b'\r\n',b'OPTIONS'),'upload name':req(b'/uploads',auth+b'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="'+C+b'.txt"\r\n',b'POST',b'x'),'upload type':req(b'/uploads',auth+b'Content-Type: '+C+b'/x\x1b\r\n',b'POST',b'x'),'expect':req(b'/x',b'Expect: '+C+b'\r\n'),'te':req(b'/x',b'Transfer-Encoding: '+C+b'\r\n'),'upgrade':req(b'/x',b'Upgrade: '+C+b'\r\nConnection: upgrade\r\n'),'range':req(b'/attachments/1',b'Range: '+C+b'\r\n'),'legacy xml':req(b'/api/Tickets/NewMessage',auth+b'Content-Type: text/xml\r\n',b'POST',b'<'+C+b'>'),'legacy json':req(b'/api/Tickets/NewMessage',auth+J,b'POST',b'{"TicketId":"'+C+b'"}'),'inbox':req(b'/inbox/list?q='+C),
}
for k,v in cases.items():
    r=raw(v); st=r.split(b'\r\n')[0][:40]; body=r.split(b'\r\n\r\n',1)[-1]
    print(k.ljust(16), st.decode('latin1'), 'ECHO' if C in body else '', 'HDR-ECHO' if C in r.split(b'\r\n\r\n')[0] else '', body[:110].decode('latin1').replace('\n',' ') if C in body else '')
time.sleep(.5)
log=open('/tmp/run6/gw.log','rb').read()
print('--- canary in log:')
for l in log.split(b'\n'):
    if C in l or b'CANARY' in l: print(l[:300].decode('utf8','replace'))
print('--- odd bytes in log:', sorted(set(re.findall(rb'[\x00-\x09\x0b-\x1f\x7f\x80-\xff]',log)))[:20])
for l in log.split(b'\n'):
    if re.search(rb'[\x00-\x08\x0b-\x1f\x7f\x80-\xff]',l): print(repr(l[:200]))
bad=[l for l in log.split(b'\n') if l.startswith(b'{') and not (lambda x: json.loads(x))(l)]
print('lines longest', max(len(l) for l in log.split(b'\n')))
import urllib.request
m=urllib.request.urlopen('http://127.0.0.1:4601/metrics').read()
print('metrics canary:', C in m, [l for l in m.split(b'\n') if C in l][:3])
