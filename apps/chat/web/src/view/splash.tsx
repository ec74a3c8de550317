import { Brand } from './brand.tsx'

/** What is shown until it is known who is there. */
export function Splash({ away }: { away: boolean }) {
  return (
    <main className="splash">
      <Brand />
      <output>{away ? 'The server cannot be reached. Trying again…' : ''}</output>
    </main>
  )
}
