// node requestor.js answers.jsonl [support@example.com] > desk.jsonl
// Maps answers of Requestor's API, one a line: of GET api/Customer/GetExtendedRequestorUser/{id} for each
// user, and of GET api/Tickets/GetTicket/{id} for each ticket. Ids of tickets and messages stay.
import { createDesk, instant, printDesk, readLines } from './desk.js';

const [file, mailbox] = process.argv.slice(2);
if (!file) throw new Error('node requestor.js answers.jsonl [support@example.com]');
const desk = createDesk();

/** The list of the ticket's messages, whatever the version of the service calls it. */
const messagesOf = (ticket) =>
  Object.values(ticket).find(
    (value) => Array.isArray(value) && value.some((item) => item?.CreatedUTC && 'Body' in item),
  ) ?? [];

function addUser(user) {
  desk.addUser(user.UserProviderKey, {
    login: user.UserName || user.Email,
    name: user.FullName || user.DisplayName,
    email: user.Email,
    role: user.IsOperator || user.IsSuperOperator || user.IsAdministrator ? 'OPERATOR' : 'REQUESTER',
    // The API does not say since when.
    disabledAt: user.IsApproved === false ? '1970-01-01T00:00:00Z' : undefined,
  });
}

function addTicket(ticket) {
  desk.addTicket({
    id: ticket.TicketId,
    reference: ticket.TicketREF,
    subject: ticket.Subject || '(no subject)',
    status: ticket.Closed ? 'CLOSED' : 'OPEN',
    requester: ticket.SubmitterKey,
    createdAt: instant(ticket.CreatedUTC),
  });
  for (const message of messagesOf(ticket)) {
    if (message.Deleted) continue;
    desk.addMessage({
      ticketId: ticket.TicketId,
      ...{ id: message.Id, order: message.Id },
      author: message.UserProviderKey ?? message.User?.UserProviderKey,
      authorName: message.UserFullName ?? message.User?.FullName,
      body: message.Body ?? '',
      format: message.Html ? 'HTML' : 'TEXT',
      isPrivate: message.Private === true,
      isMobileDevice: message.IsMobileDevice === true,
      files: (message.Attachments ?? []).map(({ FileName, Name }) => FileName ?? Name ?? 'a file'),
      createdAt: instant(message.CreatedUTC),
    });
  }
}

const later = [];
for await (const answer of readLines(file)) {
  if (answer.User) addUser(answer.User);
  else if (answer.TicketREF) later.push(answer);
  else throw new Error(`neither a user nor a ticket: ${JSON.stringify(answer).slice(0, 200)}`);
}
for (const ticket of later) addTicket(ticket);
await printDesk(desk, { mailbox });
