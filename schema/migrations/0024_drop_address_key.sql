-- `addressKey` in src/mail/address.ts decides alone when two addresses are one recipient.
DROP FUNCTION address_key(text);
