/* Plain fetch, in a browser or in Node. */

export function createDesk({ url, authorization }) {
  /** One operation. Throws on errors; a refusal is a member of the data and throws nothing. */
  async function ask(query, variables, { signal } = {}) {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        authorization,
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
      },
      body: JSON.stringify({ query, variables }),
      signal,
    });
    const { data, errors } = await response.json();
    if (errors !== undefined) throw Object.assign(new Error(errors[0].message), { errors, response });
    return data;
  }

  /** Repeats a mutation until its result is known. Its input needs an idempotencyKey. */
  async function askSafely(query, variables, { tries = 5 } = {}) {
    for (let tried = 1; ; tried += 1) {
      try {
        return await ask(query, variables);
      } catch (error) {
        // No answer at all, busy (429) or away (502 to 504): repeat the call. Anything else is final.
        const status = error.response?.status ?? 503;
        if (tried === tries || ![429, 502, 503, 504].includes(status)) throw error;
        const seconds = Number(error.response?.headers.get('retry-after') ?? 2 ** tried / 10);
        await new Promise((resolve) => setTimeout(resolve, 1000 * seconds * (1 + Math.random() / 4)));
      }
    }
  }

  /** Uploads a file. The id that it returns goes into `attachments: [{ upload }]`. */
  async function upload(file) {
    const response = await fetch(new URL('/uploads', url), {
      method: 'POST',
      headers: {
        authorization,
        'content-type': file.type || 'application/octet-stream',
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
      },
      body: file,
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.code);
    return answer.upload;
  }

  return { ask, askSafely, upload };
}
