/**
 * What the benchmark's operations need of our schema, in the same words: the same documents run on every
 * peer. What has a default is nullable here, as graphql-jit refuses a required field that is absent, default
 * or not.
 */
export const typeDefs = /* GraphQL */ `
  scalar DateTime
  enum MessageFormat { TEXT HTML }
  enum MessageVisibility { PUBLIC PRIVATE }
  enum Role { OPERATOR REQUESTER }
  enum TicketStatus { OPEN CLOSED }
  enum RecipientState { PENDING SENT DEFERRED FAILED OUTCOME_UNKNOWN CANCELLED }
  enum DeliveryState { QUEUED HELD TRANSMITTING SENT PARTIALLY_FAILED FAILED DEFERRED
    OUTCOME_UNKNOWN CANCELLED }

  input TicketSelector @oneOf { id: ID ticketId: Int reference: String }
  input AttachmentInput { upload: ID! }
  input EmailReplyInput { from: String! cc: [String!] = [] bcc: [String!] = [] }
  input AddTicketMessageInput {
    ticket: TicketSelector!
    body: String!
    format: MessageFormat = TEXT
    visibility: MessageVisibility = PUBLIC
    isMobileDevice: Boolean = false
    attachments: [AttachmentInput!] = []
    email: EmailReplyInput
    idempotencyKey: String
    ifLastMessage: ID
  }

  type Person { name: String! role: Role! }
  type Attachment { fileName: String! contentType: String! byteSize: Int! }
  type DeliveryRecipient { address: String! state: RecipientState! }
  type Delivery {
    state: DeliveryState!
    subject: String!
    rfcMessageId: String!
    from: String!
    to: [String!]!
    cc: [String!]!
    recipients: [DeliveryRecipient!]!
  }
  type TicketMessage {
    messageId: Int!
    body: String
    visibility: MessageVisibility!
    createdAt: DateTime!
    author: Person!
    attachments: [Attachment!]!
    delivery: Delivery
  }
  enum TicketOrder { CREATED LAST_MESSAGE }
  input TicketFilter { status: TicketStatus }
  type TicketEdge { node: Ticket! cursor: String! }
  type TicketConnection { edges: [TicketEdge!]! pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type TicketMessagesConnectionEdge { node: TicketMessage! cursor: String! }
  type TicketMessagesConnection { edges: [TicketMessagesConnectionEdge!]! pageInfo: PageInfo! }
  type Ticket {
    ticketId: Int!
    reference: String!
    subject: String!
    status: TicketStatus!
    messageCount: Int!
    requester: Person!
    lastMessage: TicketMessage
    messages(first: Int = 20, after: String): TicketMessagesConnection!
  }

  interface UserError { code: String! message: String! path: [String!]! }
  type Refused implements UserError { code: String! message: String! path: [String!]! }
  type AddTicketMessagePayload {
    ticketMessage: TicketMessage!
    ticket: Ticket!
    delivery: Delivery
    replayed: Boolean!
    cursor: String!
  }
  union AddTicketMessageResult = AddTicketMessagePayload | Refused

  type Query {
    ticket(by: TicketSelector!): Ticket
    tickets(filter: TicketFilter, orderBy: TicketOrder = CREATED, first: Int = 20, after: String):
      TicketConnection!
  }
  type Mutation { addTicketMessage(input: AddTicketMessageInput!): AddTicketMessageResult! }
`;
