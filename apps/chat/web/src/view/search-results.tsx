import { useChat, useChatState } from './chat-context.ts'
import { FoundPersonRow } from './found-person-row.tsx'
import { SkeletonRows } from './skeleton-rows.tsx'

/** People who were found. */
export function SearchResults({ clear }: { clear: () => void }) {
  const search = useChatState((state) => state.search)
  const { contacts } = useChat()
  if (search.kind === 'none') return null
  return (
    <section className="results" aria-live="polite" aria-busy={search.kind === 'searching'}>
      <header className="list-head">
        <h2>Results</h2>
        <button type="button" className="link" onClick={clear}>
          Close
        </button>
      </header>
      {search.kind === 'searching' ? <SkeletonRows count={2} /> : null}
      {search.kind === 'failed' ? (
        <p className="problem">
          {search.problem}{' '}
          <button type="button" className="link" onClick={() => void contacts.find(search.text)}>
            Try again
          </button>
        </p>
      ) : null}
      {search.kind === 'found' && search.people.length === 0 ? (
        <p className="empty">Nobody is called “{search.text}”. Check the spelling.</p>
      ) : null}
      {search.kind === 'found' ? (
        <ul>
          {search.people.map((person) => (
            <FoundPersonRow key={person.id} person={person} />
          ))}
        </ul>
      ) : null}
    </section>
  )
}
