// Package arrows holds the rules for which package may import which, as a test.
package arrows
