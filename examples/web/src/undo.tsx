import { useEffect, useState } from 'react';
import { useMutation } from 'urql';
import { CancelMutation } from './operations.ts';
import { undoSeconds } from './use-send.ts';

/** Takes the mail back while it is held. Its message stays. */
export function Undo({ delivery }: { delivery: string }) {
  const [left, setLeft] = useState(undoSeconds);
  const [{ data }, cancel] = useMutation(CancelMutation);
  useEffect(() => {
    const timer = setInterval(() => setLeft((seconds) => seconds - 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const result = data?.cancelDelivery;
  if (result) {
    return (
      <p role="status">
        {'message' in result ? result.message : 'The mail was taken back. The message stays.'}
      </p>
    );
  }
  if (left <= 0) return null;
  return (
    <p role="status" className="undo">
      Mailed in {left} s
      <button type="button" onClick={() => cancel({ input: { delivery } })}>
        Undo
      </button>
    </p>
  );
}
