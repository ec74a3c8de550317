import { CoveyError } from 'covey/client'
import { useState } from 'react'
import { errorText } from '../core/error-text.ts'
import { Avatar } from './avatar.tsx'
import { useChatState } from './chat-context.ts'
import { ThemeSwitch } from './theme-switch.tsx'

/** Who is logged in, and the way out. */
export function ProfileBar({ logOut }: { logOut: () => Promise<void> }) {
  const me = useChatState((state) => state.me)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')

  const leave = async () => {
    setBusy(true)
    try {
      await logOut()
    } catch (thrown) {
      setProblem(`You are still logged in. ${errorText(CoveyError.from(thrown))}`)
      setBusy(false)
    }
  }

  return (
    <header className="profile">
      <Avatar person={me} />
      <div className="profile-names">
        <strong className="clip">{me.nickname}</strong>
        <span className="clip quiet">@{me.username}</span>
      </div>
      <ThemeSwitch />
      <button type="button" className="button small" onClick={leave} disabled={busy}>
        Log out
      </button>
      {problem === '' ? null : (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </header>
  )
}
