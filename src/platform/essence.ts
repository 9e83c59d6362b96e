/** The media type of a Content-Type header, without its parameters: `text/plain`, in lower case. */
export const essenceOf = (contentType = ''): string => contentType.split(';', 1)[0]!.trim().toLowerCase();
