package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"spindle/burn"
	"spindle/burn/journal"
	"spindle/scsi/mmc"
)

// target is one drive of a burn.
type target struct {
	name    string
	drive   *mmc.Drive
	medium  *burn.Medium
	plan    *burn.Plan
	job     *burn.Job
	journal *journal.Writer
	loss    *loss // of what is on the disc, or nil
	// keepTray: the tray is not moved.
	keepTray bool
	image    string // its path; "-" is a pipe
	// noJournal: none of this burn is kept, and reburn does not know of it.
	noJournal bool
	elsewhere string // the journal, where it is a file that reburn does not look for
	damage    damage // of the image
}

// begin makes the job of a drive, with its journal in path, or in the folder of
// journals; where none can be kept there, a note says so.
func (t *target) begin(ctx context.Context, a *app, b journal.Begin, path string) error {
	b.Device, b.Profile, b.MediumID, b.Plan = journal.Device(t.name), t.medium.Profile.String(), t.medium.ID, t.plan
	if q, err := t.drive.Inquiry(ctx); err == nil {
		b.Drive = strings.TrimSpace(q.Vendor + " " + q.Product + " " + q.Revision)
	}
	b.Damaged = t.damage.sectors
	t.makeJob(b.Verify)
	var err error
	asked := path != ""
	if asked {
		t.journal, err = journal.Create(path, b)
	} else if path, err = journal.UserDir(); err == nil {
		t.journal, err = journal.CreateIn(path, b)
	} else {
		path = "~/.local/state/spindle"
	}
	switch {
	case err == nil:
		t.job.Log = t.journal
		return nil
	case asked:
		return &journalError{path, err}
	}
	t.journal = nil
	a.note((&journalError{path, err}).Error() + "; --journal FILE keeps it elsewhere, and --no-journal keeps none")
	return nil
}

// makeJob makes the job of a drive, without a journal.
func (t *target) makeJob(verify bool) {
	t.job = &burn.Job{Drive: t.drive, Medium: t.medium, Plan: t.plan, Verify: verify, RealTime: true, KeepTray: t.keepTray}
}

// endJournal closes the journal, if there is one.
func (t *target) endJournal(a *app) {
	if t.journal == nil {
		return
	}
	if err := t.journal.Close(); err != nil {
		a.note("the journal could not be kept: " + err.Error())
	}
}

// A journalError says that no journal of a burn can be kept.
type journalError struct {
	where string
	err   error
}

func (e *journalError) Error() string {
	return fmt.Sprintf("the journal of this burn cannot be kept in %s (%s), so \"spindle reburn\" could not help later",
		e.where, plainError(e.err))
}
func (e *journalError) Unwrap() []error { return []error{errJournalFile, e.err} }

// errJournalFile is what every journalError is.
var errJournalFile = errors.New("no journal")
