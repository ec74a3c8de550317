import './browser/no-eval.ts'
import { createRoot } from 'react-dom/client'
import { applyTheme, savedTheme } from './browser/theme.ts'
import { createSession } from './core/session.ts'
import { App } from './view/app.tsx'

applyTheme(savedTheme())
const session = createSession((path, init) => fetch(path, init))
createRoot(document.getElementById('root')!).render(<App session={session} />)
