// Package readme holds the README and the pages in docs to what the program does,
// as tests.
package readme
