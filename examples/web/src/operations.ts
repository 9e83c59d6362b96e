import { graphql } from './graphql.ts';

export const ViewerQuery = graphql(`
  query Viewer {
    viewer { login person { name role } }
    mailboxes { address }
  }
`);

export const TicketFragment = graphql(`
  fragment Ticket on Ticket {
    id
    reference
    subject
    status
    messageCount
    createdAt
    lastMessageAt
    requester { name }
  }
`);

/** For operators. It is read before the list, so that no event between the two is missed. */
export const DeskCursorQuery = graphql('query DeskCursor { deskCursor }');

export const TicketsQuery = graphql(
  `
  query Tickets {
    tickets(orderBy: LAST_MESSAGE, first: 30) { nodes { ...Ticket } }
  }
`,
  [TicketFragment],
);

export const WatchDeskSubscription = graphql(
  `
  subscription WatchDesk($after: String) {
    deskEvents(after: $after) { cursor ticket { ...Ticket } }
  }
`,
  [TicketFragment],
);

export const MessageFragment = graphql(`
  fragment Message on TicketMessage {
    id
    messageId
    createdAt
    visibility
    bodyHtml
    author { name role }
    attachments { id fileName byteSize contentType url(expiresInSeconds: 3600) }
    delivery { id state failure }
  }
`);

export const ConversationQuery = graphql(
  `
  query Conversation($by: TicketSelector!) {
    ticket(by: $by) {
      id
      reference
      subject
      cursor
      messages(last: 50) { nodes { ...Message } }
    }
  }
`,
  [MessageFragment],
);

export const WatchSubscription = graphql(
  `
  subscription Watch($ticket: TicketSelector!, $after: String) {
    ticketEvents(ticket: $ticket, after: $after) { cursor ticketMessage { ...Message } }
  }
`,
  [MessageFragment],
);

export const AddMutation = graphql(
  `
  mutation Add($input: AddTicketMessageInput!) {
    addTicketMessage(input: $input) {
      __typename
      ... on AddTicketMessagePayload {
        ticketMessage { id }
        ticket { id messageCount }
        delivery { id state }
      }
      ... on UserError { message }
      ... on InvalidInputError { problems { path message } }
      ... on TicketChangedError { unseenMessages { ...Message } }
    }
  }
`,
  [MessageFragment],
);

export const PreviewQuery = graphql(`
  query Preview($input: AddTicketMessageInput!) {
    previewTicketMessage(input: $input) {
      __typename
      ... on TicketMessagePreview { envelopeTo subject text }
      ... on UserError { message }
    }
  }
`);

export const CancelMutation = graphql(`
  mutation Cancel($input: DeliveryInput!) {
    cancelDelivery(input: $input) { __typename ... on UserError { message } }
  }
`);

export const RetryMutation = graphql(`
  mutation Retry($input: DeliveryInput!) {
    retryDelivery(input: $input) { __typename ... on UserError { message } }
  }
`);
