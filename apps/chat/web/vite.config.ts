import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/**
 * Builds the chat page into `dist`, which the gateway serves. Nothing is inlined, because the page
 * runs under a content security policy that allows only files of its own origin.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: false,
    sourcemap: true,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': 'http://127.0.0.1:8090',
      '/rpc': { target: 'ws://127.0.0.1:8090', ws: true },
    },
  },
})
