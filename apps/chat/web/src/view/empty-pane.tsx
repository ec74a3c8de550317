import { Brand } from './brand.tsx'

/** What is shown while no chat is open. */
export function EmptyPane() {
  return (
    <main className="pane pane-empty">
      <Brand />
      <p>Choose somebody on the left to read and write.</p>
    </main>
  )
}
