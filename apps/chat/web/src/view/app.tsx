import { CoveyError, systemClock } from 'covey/client'
import { useEffect, useState } from 'react'
import type { Person } from '../../../contracts/people.ts'
import { keepTrying } from '../core/keep-trying.ts'
import type { SessionApi } from '../core/session.ts'
import { ChatPage } from './chat-page.tsx'
import { SignIn } from './sign-in.tsx'
import { Splash } from './splash.tsx'

type Phase =
  | { readonly kind: 'checking'; readonly away: boolean }
  | { readonly kind: 'out'; readonly notice: string }
  | { readonly kind: 'in'; readonly me: Person }

/** The whole page: who is there, and what they see. */
export function App({ session }: { session: SessionApi }) {
  const [phase, setPhase] = useState<Phase>({ kind: 'checking', away: false })

  useEffect(() => {
    const ended = new AbortController()
    void findOut(session, ended.signal, setPhase)
    return () => ended.abort()
  }, [session])

  if (phase.kind === 'checking') return <Splash away={phase.away} />
  if (phase.kind === 'out') {
    return (
      <SignIn
        session={session}
        notice={phase.notice}
        onSignedIn={(me) => setPhase({ kind: 'in', me })}
      />
    )
  }
  const signOut = (notice: string) => setPhase({ kind: 'out', notice })
  return <ChatPage key={phase.me.id} me={phase.me} session={session} onSignedOut={signOut} />
}

async function findOut(
  session: SessionApi,
  signal: AbortSignal,
  setPhase: (phase: Phase) => void,
): Promise<void> {
  try {
    const me = await keepTrying(() => session.whoAmI(), {
      clock: systemClock,
      random: Math.random,
      signal,
      onTrouble: (away) => setPhase({ kind: 'checking', away }),
    })
    setPhase(me === undefined ? { kind: 'out', notice: '' } : { kind: 'in', me })
  } catch (thrown) {
    if (signal.aborted) return
    console.warn(CoveyError.from(thrown))
    setPhase({ kind: 'out', notice: '' })
  }
}
