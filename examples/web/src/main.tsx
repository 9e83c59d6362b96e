import { type FormEvent, StrictMode, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider, useQuery } from 'urql';
import { basic, clientFor } from './client.ts';
import { Desk } from './desk.tsx';
import { ViewerQuery } from './operations.ts';
import './style.css';

/** Who is signed in; in memory alone. */
function App() {
  const [authorization, setAuthorization] = useState<string>();
  const client = useMemo(() => clientFor(authorization ?? ''), [authorization]);
  if (authorization === undefined) return <SignIn onSignIn={setAuthorization} />;
  return (
    <Provider value={client}>
      <SignedIn authorization={authorization} onSignOut={() => setAuthorization(undefined)} />
    </Provider>
  );
}

interface SignedInProps {
  authorization: string;
  onSignOut: () => void;
}

function SignedIn({ authorization, onSignOut }: SignedInProps) {
  const [{ data, error }] = useQuery({ query: ViewerQuery });
  if (error && !data?.viewer) {
    return (
      <main className="sign-in">
        <p role="alert">{error.message}</p>
        <button type="button" onClick={onSignOut}>
          Back
        </button>
      </main>
    );
  }
  if (!data?.viewer) return <p className="loading">Loading…</p>;
  const { person } = data.viewer;
  const mailboxes = (data.mailboxes ?? []).map(({ address }) => address);
  return (
    <Desk
      me={{ name: person.name, isOperator: person.role === 'OPERATOR', mailboxes, authorization }}
      onSignOut={onSignOut}
    />
  );
}

function SignIn({ onSignIn }: { onSignIn: (authorization: string) => void }) {
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    onSignIn(basic(String(given.get('login')), String(given.get('password'))));
  }
  return (
    <main className="sign-in">
      <h1>Desk</h1>
      <form onSubmit={submit}>
        <label>
          Login <input name="login" autoComplete="username" required />
        </label>
        <label>
          Password <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button type="submit" className="primary">
          Sign in
        </button>
      </form>
      <p>
        On the demo desk:{' '}
        {['operator', 'requester'].map((login) => (
          <button key={login} type="button" onClick={() => onSignIn(basic(login, login))}>
            {login}
          </button>
        ))}
      </p>
    </main>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
