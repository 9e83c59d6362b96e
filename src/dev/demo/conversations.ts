/**
 * The conversations of the demo desk's fifty tickets, in the order of their ids, from 1. Each has the
 * ticket's subject and the bodies of its public messages as plain text: the first is the requester's, and
 * then operator and requester take turns.
 */
export const conversations: readonly (readonly [subject: string, ...turns: string[]])[] = [
  [
    'Printer on the second floor prints blank pages',
    'Since this morning every page from the HP on the second floor comes out blank. ' +
      'The toner was changed last week.',
    'Thank you, we will have a look before noon. Does it also print its own status page blank?',
    'The status page is fine, only our documents are blank.',
  ],
  [
    'VPN disconnects every ten minutes',
    'When I work from home, the VPN drops about every ten minutes and I have to sign in again.',
    'Could you send us the time of the last two drops? We will compare them with the log of the gateway.',
    '9:41 and 9:52 today.',
    'That helped: your client is two versions old. The new one is in the Software Centre now.',
  ],
  [
    'New laptop for a colleague starting on Monday',
    'Marta Kolářová starts in accounting on Monday and needs a laptop with the usual programs.',
    'Noted. Which monitor does she need, 24 or 27 inches?',
  ],
  [
    'Cannot open the shared calendar',
    'The calendar of the meeting rooms says that I have no permission.',
    'Your group was missing there. Please sign out and in again.',
    'It works, thank you!',
  ],
  [
    'Invoice 2024-118 shows the wrong address',
    'Our invoice shows the address we moved out of in March.',
    'We have corrected your address and will send a new invoice today.',
  ],
  [
    'Please reset my password',
    'I have come back from holiday and cannot remember my password.',
    'We have sent you a one-time code by text message.',
  ],
  [
    'Projector in the Prague meeting room has no sound',
    'The picture is fine, but there is no sound over HDMI.',
    'Could you try input 2? Input 1 is wired for video only.',
  ],
  [
    'Mail to a customer comes back',
    'Every mail to info@vendor.example comes back with "mailbox full".',
    'Their mailbox is full, as they say. We have told them by telephone.',
  ],
  [
    'Request for a second monitor',
    'May I have a second monitor? I compare drawings all day.',
    'Approved by your manager. Delivery takes about a week.',
    'Great, thanks.',
  ],
  [
    'Scanner saves to the wrong folder',
    'Scans of our department end up in the folder of marketing.',
    'The profile of the scanner was mixed up after its update. Please try once more.',
  ],
  [
    'Website form loses umlauts',
    'Names such as Müller or Žižka arrive with question marks.',
    'Can you tell us which browser was used?',
    'Firefox on Linux, but a customer says Safari, too.',
  ],
  [
    'Software licence expires on Friday',
    'The drawing program says that its licence ends on Friday.',
    'We have ordered the renewal and expect the key on Wednesday.',
  ],
  [
    'Door card does not open the garage',
    'My card opens every door but that of the garage.',
    'The garage is managed by the building. We have forwarded your card number.',
  ],
  [
    'Slow access to the archive',
    'Opening old projects takes several minutes since the weekend.',
    'A disk of the archive is being rebuilt. It should be done tonight.',
    'It is fast again.',
  ],
  [
    'Spam with our own sender address',
    'We get spam that seems to come from ourselves.',
    'Please do not open the attachments. We have tightened the filter.',
  ],
  [
    'Change of my surname after the wedding',
    'From the 1st on my name is Eva Horáková. Could you change the mail address too?',
    'Congratulations! Both addresses will work, the old one for a year.',
  ],
  [
    'Headset is not recognised',
    'The new headset works on my telephone, but the computer does not see it.',
    'Does it show a light when you plug it in?',
  ],
  [
    'Backup report shows two failures',
    'The nightly report lists two failed jobs on server NAS-3.',
    'Both jobs ran into the maintenance window. We have moved them by an hour.',
  ],
  [
    'Access to the wiki for an external auditor',
    'Our auditor needs to read the wiki until the end of the month.',
    'Please let us have their name and company, and we will make a guest account.',
  ],
  [
    'Telephone rings but nobody can be heard',
    'Calls from outside: it rings, I answer, silence. Inside calls are fine.',
    'That is typical of the firewall. May we call you today at two?',
    'Yes, two is fine.',
  ],
  [
    'Excel file is locked by another user',
    'Budget.xlsx is "locked for editing by Petr", but Petr is on holiday.',
    'We have closed his session on the server. The file is free.',
  ],
  [
    'Two-factor code does not arrive',
    'I wait for the text message, and nothing comes.',
    'Your number in the directory had one digit too few. Please try again.',
  ],
  [
    'Order for toner cartridges',
    'We need four black cartridges for the Brother in room 112.',
    'Ordered. Expect them on Thursday.',
  ],
  [
    'Video calls freeze in the afternoon',
    'Between two and three, every call freezes.',
    'We see a peak on your line at that time and have asked the provider.',
  ],
  [
    'Wrong time zone in the booking system',
    'Bookings by our Lisbon office are an hour off.',
    'Thank you. Developers know about it, a fix is planned for next week.',
  ],
  [
    'Installation of a PDF editor',
    'I need to fill in and sign PDF forms.',
    'It is in the Software Centre under "PDF". No approval is needed.',
  ],
  [
    'Wi-Fi in the warehouse',
    'The scanners in aisle 14 have no signal.',
    'An access point has failed. The replacement is on its way.',
    'Any news?',
    'It is mounted and working since nine.',
  ],
  [
    'Cannot send attachments over 10 MB',
    'Our drawings have about 20 MB, and mail refuses them.',
    'Please use the exchange folder. Here is a link that you can pass on.',
  ],
  [
    'Keyboard with a Czech layout',
    'Could I have a keyboard with Czech keys?',
    'There is one in stock, please collect it in room 007.',
  ],
  [
    'Account of a colleague who left',
    'Jan Beneš left on Friday. Please close his account and forward his mail to me.',
    'Closed. Forwarding needs the approval of personnel, we have asked them.',
  ],
  [
    'Browser warns about the intranet',
    'The intranet is "not secure", says the browser.',
    'The certificate ran out last night. It is renewed, please reload.',
  ],
  [
    'Missing fonts in presentations',
    'Our corporate font is missing on the computer in the lobby.',
    'Installed.',
    'Perfect.',
  ],
  [
    'Upgrade of the accounting system',
    'When will the new version be installed? We close the month on the 31st.',
    'We suggest the 4th, in the evening. Is that all right?',
  ],
  [
    'Noise in the server room',
    'There is a loud humming from the server room.',
    'A fan of the air conditioning. The service comes tomorrow.',
  ],
  [
    'Shared mailbox for the new project',
    'Please set up project-delta@domain.com for five of us.',
    'Who should be in it? Please send us five names.',
  ],
  [
    'Tablet does not charge',
    'The tablet of the reception stays at 3 percent.',
    'Please bring it along with its cable.',
  ],
  [
    'Export of tickets to a spreadsheet',
    'Is there a way to get all tickets of last year as a spreadsheet?',
    'Yes: the reporting page has a button for it. We have given you access.',
  ],
  [
    'Lost USB stick with customer data',
    'I have lost a USB stick, probably on the train. It was encrypted.',
    'Thank you for telling us at once. Please call extension 112.',
  ],
  [
    'Screen flickers with the docking station',
    'With the docking station the left screen flickers, without it does not.',
    'A new driver of the docking station was released yesterday. May we install it remotely?',
  ],
  [
    'Newsletter shows broken pictures',
    'All pictures in the newsletter are broken in Outlook.',
    'They are blocked until they are allowed. We can sign the newsletter, so that it is trusted.',
  ],
  [
    'Parking space for visitors',
    'How do I reserve a parking space for Thursday?',
    'In the booking system under "Other". We have done it for you this once.',
  ],
  [
    'Data for the annual report',
    'Could we have the availability of the web shop for last year?',
    '99.96 percent. The months are in the attachment of our next message.',
  ],
  [
    'Label printer cuts in the wrong place',
    'Labels are cut 3 mm too late.',
    'Please calibrate: hold "Feed" for five seconds.',
    'Solved, thank you.',
  ],
  [
    'Permission to install Docker',
    'I need Docker for tests of the interface.',
    'Your manager has to agree. We have sent the request.',
  ],
  [
    'Emergency contact list is out of date',
    'The list on the wall still names people who have left.',
    'We have printed a new one. Please tell us if someone is missing.',
  ],
  [
    'Interface to the carrier returns errors',
    'Since 8:15 every label request returns error 503.',
    'The carrier confirms a fault on their side. We watch it.',
    'It is working again since 10:05.',
  ],
  [
    'Appointment for the new workstation',
    'My workstation is to be exchanged this week. When would it suit you?',
    'We are free on Tuesday and on Thursday. It takes about an hour.',
    'Thursday would be better for me.',
  ],
  [
    'Sharing files with a supplier',
    'How can I share large files with our supplier safely?',
    'By the exchange folder: links end after 14 days and can have a password.',
  ],
  [
    'Monthly report arrives twice',
    'I get the monthly report twice since May.',
    'You were on two lists. We have taken you off one.',
  ],
  [
    'Thanks to the team',
    'I only want to say thank you for the quick help last week!',
    'That is kind of you. We will pass it on.',
  ],
];
