import { type Example, ticket } from './example.ts';

/** Examples of queries and subscriptions on the demo desk, by the name of their operation. */
export const readingExamples = {
  WhoAmI: {
    operationName: 'WhoAmI',
    title: 'Who am I',
    about: 'The signed-in user, and the mailboxes that they may send from.',
    query: `# Run it: ▶ or Ctrl-Enter.
# More: the Examples panel.
query WhoAmI {
  viewer {
    login
    person {
      id
      name
      role
    }
    scopes
  }
  mailboxes {
    address
    displayName
  }
}
`,
  },
  ReadTicket: {
    operationName: 'ReadTicket',
    title: 'Read a ticket',
    about: 'A ticket by its reference, with its latest messages, their attachments and deliveries.',
    query: `query ReadTicket($ticket: TicketSelector!) {
  ticket(by: $ticket) {
    id
    ticketId
    reference
    subject
    requester {
      name
    }
    messages(last: 10) {
      totalCount
      nodes {
        messageId
        createdAt
        visibility
        author {
          id
          name
        }
        bodyText
        attachments {
          fileName
          byteSize
          downloadUrl
        }
        delivery {
          state
        }
      }
    }
  }
}
`,
    variables: { ticket },
  },
  ReadOlderMessages: {
    operationName: 'ReadOlderMessages',
    title: 'Page through messages',
    about: 'The two latest, then older ones: pass startCursor as before while there is a previous page.',
    query: `query ReadOlderMessages($ticket: TicketSelector!, $before: String) {
  ticket(by: $ticket) {
    messages(last: 2, before: $before) {
      totalCount
      nodes {
        messageId
        createdAt
        bodyText
      }
      pageInfo {
        hasPreviousPage
        startCursor
      }
    }
  }
}
`,
    variables: { ticket, before: null },
  },
  ListTickets: {
    operationName: 'ListTickets',
    title: 'List tickets',
    about:
      'A page of open tickets, the most recently active first. Pass endCursor as after to get the next page.',
    query: `query ListTickets($filter: TicketFilter, $first: Int!, $after: String) {
  tickets(filter: $filter, orderBy: LAST_MESSAGE, first: $first, after: $after) {
    totalCount
    totalCountIsExact
    nodes {
      reference
      subject
      status
      messageCount
      lastMessageAt
      lastMessage {
        bodyText
        author {
          name
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: { filter: { status: 'OPEN' }, first: 10, after: null },
  },
  SearchDesk: {
    operationName: 'SearchDesk',
    title: 'Search tickets and messages',
    about:
      'Words in any order, "a phrase", or, and a minus before a word that must be absent. ' +
      'References and addresses by their beginning.',
    query: `query SearchDesk($text: String!, $after: String) {
  search(text: $text, first: 10, after: $after) {
    nodes {
      ticket {
        reference
        subject
      }
      ticketMessage {
        createdAt
        author {
          name
        }
        bodyText
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: { text: 'workstation', after: null },
  },
  WatchDesk: {
    operationName: 'WatchDesk',
    title: 'Watch the whole desk live',
    about: 'The events of all tickets, for operators. Run it, then add a message in another tab.',
    query: `subscription WatchDesk($after: String) {
  deskEvents(after: $after) {
    cursor
    type
    at
    ticket {
      reference
      subject
      status
    }
    ticketMessage {
      messageId
      bodyText
    }
  }
}
`,
    variables: { after: null },
  },
  WatchTicket: {
    operationName: 'WatchTicket',
    title: 'Watch a ticket live',
    about: 'Run it, then add a message in another tab: events appear as they happen. ▶ again stops it.',
    query: `subscription WatchTicket($ticket: TicketSelector!) {
  ticketEvents(ticket: $ticket) {
    cursor
    type
    at
    actor {
      name
    }
    ticketMessage {
      messageId
      bodyText
    }
    delivery {
      state
    }
  }
}
`,
    variables: { ticket },
  },
  WatchDeliveries: {
    operationName: 'WatchDeliveries',
    title: 'Follow deliveries',
    about: "A ticket's e-mails: the state of each recipient, and every attempt with the server's answer.",
    query: `query WatchDeliveries($ticket: TicketSelector!) {
  ticket(by: $ticket) {
    reference
    messages(last: 10) {
      nodes {
        messageId
        delivery {
          state
          subject
          failure
          recipients {
            kind
            address
            state
            enhancedCode
            smtpReply
          }
          attempts {
            number
            startedAt
            phase
            outcome
            reply
          }
        }
      }
    }
  }
}
`,
    variables: { ticket },
  },
  ListFailures: {
    operationName: 'ListFailures',
    title: 'List failed mails',
    about: 'Mails that did not reach every recipient, with reasons and suggested actions.',
    query: `query ListFailures($filter: DeliveryFilter) {
  deliveries(filter: $filter, first: 10) {
    nodes {
      id
      state
      subject
      failure
      suggestedAction
    }
  }
}
`,
    variables: { filter: { hasFailedRecipient: true } },
  },
  PreviewReply: {
    operationName: 'PreviewReply',
    title: 'Preview a reply',
    about: 'The exact mail that would be sent. Nothing is stored or sent.',
    query: `query PreviewReply($input: AddTicketMessageInput!) {
  previewTicketMessage(input: $input) {
    ... on TicketMessagePreview {
      envelopeTo
      subject
      text
      byteSize
      previewHash
    }
    ... on UserError {
      code
      message
    }
  }
}
`,
    variables: {
      input: {
        ticket,
        body: 'Would tomorrow suit you?',
        email: { from: 'company@domain.com', quote: 'LAST' },
      },
    },
  },
} satisfies Record<string, Example>;
