import { graphql } from 'relay-runtime';

/* What Relay's compiler makes artifacts of, before the clients run. */

export const page = graphql`
  query deskPageQuery($by: TicketSelector!, $count: Int!) {
    ticket(by: $by) {
      id
      ...deskMessages_ticket @arguments(count: $count)
    }
  }
`;

export const messages = graphql`
  fragment deskMessages_ticket on Ticket
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" })
  @refetchable(queryName: "deskMessagesPaginationQuery") {
    messages(first: $count, after: $cursor) @connection(key: "desk_messages") {
      edges {
        node {
          messageId
          bodyText
        }
      }
    }
  }
`;

export const add = graphql`
  mutation deskAddMutation($input: AddTicketMessageInput!, $connections: [ID!]!) {
    addTicketMessage(input: $input) {
      __typename
      ... on AddTicketMessagePayload {
        ticketMessageEdge @appendEdge(connections: $connections) {
          cursor
          node {
            messageId
            bodyText
          }
        }
      }
      ... on UserError {
        code
        path
      }
    }
  }
`;

export const caught = graphql`
  query deskCaughtQuery {
    viewer {
      login
    }
    deliveries(first: 1) @catch(to: RESULT) {
      edges {
        node {
          state
        }
      }
    }
  }
`;

export const thrown = graphql`
  query deskThrownQuery @throwOnFieldError {
    viewer {
      login
    }
    deliveries(first: 1) {
      edges {
        node {
          state
        }
      }
    }
  }
`;

export const watch = graphql`
  subscription deskEventsSubscription($ticket: TicketSelector!, $after: String) {
    ticketEvents(ticket: $ticket, after: $after) {
      cursor
      ticketMessage {
        messageId
        bodyText
      }
    }
  }
`;
