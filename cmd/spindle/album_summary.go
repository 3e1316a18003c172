package main

import (
	"fmt"
	"path/filepath"

	"spindle/image/riplog"
)

// again says how what is not right is tried again.
func (r *albumResult) again() string {
	if r.Raw == "" {
		return ""
	}
	return fmt.Sprintf(" %s tries the damaged sectors again; until then, what was read is kept in %s.",
		capital(sameCommand(r.force, r.quick)), filepath.Dir(r.Raw))
}

// songsAre begins a sentence on k of the songs.
func (r *albumResult) songsAre(k int) string {
	switch n := len(r.Songs); {
	case n == 1:
		return "The song is"
	case k == n:
		return fmt.Sprintf("All %d songs are", n)
	default:
		return fmt.Sprintf("%d of %d songs %s", k, n, isOrAre(k))
	}
}

// summary says in a sentence how the songs are proven.
func (r *albumResult) summary() string {
	n := len(r.Songs)
	database, twice, votes := r.proofs[riplog.Database], r.proofs[riplog.TwoReads], r.proofs[riplog.Votes]
	switch {
	case r.proofs[riplog.NotRight] > 0:
		return r.songsAre(r.proofs[riplog.NotRight]) + " not right: the log says where." + r.again()
	case database == n:
		return r.songsAre(n) + " what other people's drives read" + r.butEnds() + "."
	case database+twice == n && database > 0:
		return r.songsAre(database) + " proven by a database, the others read twice with the same result."
	case twice == n && n == 1:
		return "The song was read twice with the same result."
	case twice == n:
		return fmt.Sprintf("All %d songs were read twice with the same result.", n)
	case database+twice+votes == n:
		others := " The others are proven."
		if votes == n {
			others = ""
		}
		return r.songsAre(votes) + " put together from several readings of damaged sectors: the log says how many agree." + others
	case r.proofs[riplog.OneRead] > 0:
		return r.songsAre(r.proofs[riplog.OneRead]) + " read once: only the drive vouches for it."
	}
	return r.songsAre(r.proofs[riplog.Unproven]) + " not proven by anything."
}
