package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"spindle/disc"
	"spindle/disc/discid"
	"spindle/internal/atomicfile"
	"spindle/lookup"

	"github.com/spf13/pflag"
)

// A question is what --lookup asks a database about a disc.
type question struct {
	database string // as people call it
	file     string // in which its answer is kept
	absent   string // what it means that the database has none
	ask      func(context.Context, *lookup.Client) ([]byte, error)
}

// addLookup defines --lookup.
func addLookup(f *pflag.FlagSet, on *bool, what string) {
	f.BoolVar(on, "lookup", false, what)
}

// The questions about a disc. The names of the files are those under which they are found without asking.
func askAccurateRip(ids discid.IDs) question {
	return question{"AccurateRip", ids.AccurateRip.File(), "AccurateRip does not have this disc", func(ctx context.Context, c *lookup.Client) ([]byte, error) {
		return c.AccurateRip(ctx, ids.AccurateRip)
	}}
}

func askCTDB(ids discid.IDs, l *disc.Layout) question {
	return question{"CTDB", "ctdb-" + ids.CTDB + ".xml", "CTDB does not have this disc", func(ctx context.Context, c *lookup.Client) ([]byte, error) {
		return c.CTDB(ctx, discid.TOCOf(l))
	}}
}

func askMusicBrainz(ids discid.IDs) question {
	return question{"MusicBrainz", "musicbrainz-" + ids.MusicBrainz + ".json", "MusicBrainz does not have this disc", func(ctx context.Context, c *lookup.Client) ([]byte, error) {
		return c.MusicBrainz(ctx, ids.MusicBrainz)
	}}
}

// lookUp asks all questions at once, and returns the answers that came. Of the others it notes why:
// the work continues without them.
func (a *app) lookUp(ctx context.Context, questions []question) [][]byte {
	answers, failures := make([][]byte, len(questions)), make([]error, len(questions))
	var all sync.WaitGroup
	for i, q := range questions {
		all.Go(func() { answers[i], failures[i] = q.ask(ctx, a.databases) })
	}
	all.Wait()
	for i, err := range failures {
		switch q := questions[i]; {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, lookup.ErrAbsent):
			a.note(q.absent + ".")
		default:
			a.note(fmt.Sprintf("%s could not be asked (%v). The work continues without it.", q.database, err))
		}
	}
	return answers
}

// keepAnswer keeps an answer in a folder, as the evidence. It returns the file, or "" where it could not
// be kept. What is there stays.
func (a *app) keepAnswer(dir, name string, answer []byte) string {
	path := filepath.Join(dir, name)
	f, err := atomicfile.Create(path)
	if err == nil {
		if _, err = f.Write(answer); err == nil {
			err = f.CommitNew()
		}
		f.Discard()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		a.note(fmt.Sprintf("%s could not be kept: %v.", path, err))
		return ""
	}
	return path
}

// userAgent identifies the program to the databases: its version and, if the module path has one,
// its home page.
func userAgent() string {
	agent := "spindle/" + buildVersion()
	if info, ok := debug.ReadBuildInfo(); ok {
		if host, _, _ := strings.Cut(info.Main.Path, "/"); strings.Contains(host, ".") {
			agent += " ( https://" + info.Main.Path + " )"
		}
	}
	return agent
}
