import { namespaces } from '../dotnet/new-message-post.ts';

const { instance, posts, data, arrays, results } = namespaces;

/**
 * The samples of the help page: requests, responses, and a call by curl to `http://localhost:4000`. Tests
 * send them as they are.
 */
export const samples = {
  requestJson: `{
  "TicketREF": "INC-000047",
  "TicketId": null,
  "Message": "Can I meet you afternoon?",
  "Html": false,
  "IsPrivate": false,
  "IsMobileDevice": false,
  "Attachments": [
    { "FileName": "hello.txt", "ContentType": "text/plain", "ContentLength": 5, "Data": "aGVsbG8=" }
  ],
  "SendViaOutboundEmail": true,
  "SendViaOutboundEmailFrom": "company@domain.com",
  "SendViaOutboundEmailCc": [
    "jane.doe@domain.com",
    "jack.more@domain.com"
  ],
  "SendViaOutboundEmailBcc": null
}`,
  requestXml: `<NewMessagePost xmlns:i="${instance}" xmlns="${posts}">
  <Attachments xmlns:d2p1="${data}">
    <d2p1:NewAttachment>
      <d2p1:ContentLength>5</d2p1:ContentLength>
      <d2p1:ContentType>text/plain</d2p1:ContentType>
      <d2p1:Data>aGVsbG8=</d2p1:Data>
      <d2p1:FileName>hello.txt</d2p1:FileName>
    </d2p1:NewAttachment>
  </Attachments>
  <Html>false</Html>
  <IsMobileDevice>false</IsMobileDevice>
  <IsPrivate>false</IsPrivate>
  <Message>Can I meet you afternoon?</Message>
  <SendViaOutboundEmail>true</SendViaOutboundEmail>
  <SendViaOutboundEmailBcc xmlns:d2p1="${arrays}" i:nil="true" />
  <SendViaOutboundEmailCc xmlns:d2p1="${arrays}">
    <d2p1:string>jane.doe@domain.com</d2p1:string>
    <d2p1:string>jack.more@domain.com</d2p1:string>
  </SendViaOutboundEmailCc>
  <SendViaOutboundEmailFrom>company@domain.com</SendViaOutboundEmailFrom>
  <TicketId i:nil="true" />
  <TicketREF>INC-000047</TicketREF>
</NewMessagePost>`,
  shell: `curl -u login:password -H 'Content-Type: application/json' \\
  -d '{"TicketREF":"INC-000047","Message":"Can I meet you afternoon?"}' \\
  http://localhost:4000/api/Tickets/NewMessage`,
  responseJson: '{"TicketMessageId":123}',
  responseXml:
    `<NewMessageResult xmlns:i="${instance}" xmlns="${results}">` +
    `<TicketMessageId>123</TicketMessageId></NewMessageResult>`,
  refusalJson: '{"Message":"The ticket was not found."}',
} as const;
