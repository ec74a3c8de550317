interface LogTopProps {
  readonly failed: boolean
  readonly loadOlder: () => void
}

/** What stands above the oldest message that is loaded, while there are older ones. */
export function LogTop({ failed, loadOlder }: LogTopProps) {
  if (!failed) return <p className="log-top">Loading what is older…</p>
  return (
    <p className="log-top">
      What is older could not be loaded.{' '}
      <button type="button" className="link" onClick={loadOlder}>
        Try again
      </button>
    </p>
  )
}
