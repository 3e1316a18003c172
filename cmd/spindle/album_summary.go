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

// songsAre begins a sentence on k of the songs, but for those of which no more is said than that they are silent.
func (r *albumResult) songsAre(k int) string { return r.songsBe(k, isOrAre) }

func (r *albumResult) songsBe(k int, verb func(n int) string) string {
	song, songs := "song", "songs"
	if r.silent > 0 {
		song, songs = "other song", "others"
	}
	switch n := len(r.Songs) - r.silent; {
	case n == 1:
		return "The " + song + " " + verb(1)
	case k == n:
		return fmt.Sprintf("All %d %s %s", n, songs, verb(n))
	default:
		return fmt.Sprintf("%d of %d %s %s", k, n, songs, verb(k))
	}
}

// summary says in a sentence or two how the songs are proven.
func (r *albumResult) summary() string {
	switch n := len(r.Songs); {
	case r.silent == 0:
		return r.proofSummary(n)
	case n == 1:
		return "The song is silent: there is nothing to prove."
	case r.silent == n:
		return fmt.Sprintf("All %d songs are silent: there is nothing to prove.", n)
	default:
		return fmt.Sprintf("%s %s silent, which nothing can prove. %s", plural(r.silent, "song"), isOrAre(r.silent), r.proofSummary(n-r.silent))
	}
}

// proofSummary says how n songs are proven.
func (r *albumResult) proofSummary(n int) string {
	database, twice, votes := r.proofs[riplog.Database], r.proofs[riplog.TwoReads], r.proofs[riplog.Votes]
	switch {
	case r.proofs[riplog.NotRight] > 0:
		return r.songsAre(r.proofs[riplog.NotRight]) + " not right: the log says where." + r.again()
	case database == n:
		return r.songsAre(n) + " what other people's drives read" + r.butEnds() + "."
	case database+twice == n && database > 0:
		return r.songsAre(database) + " proven by a database, the others read twice with the same result."
	case twice == n:
		return r.songsBe(n, wasOrWere) + " read twice with the same result."
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
