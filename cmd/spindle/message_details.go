package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"spindle/album/folder"
	"spindle/burn"
	"spindle/image/format"
	"spindle/rip"
	"spindle/scsi"
)

// details say what errors of some types carry, instead of what is said of all of their kind, in this order.
var details = []func(err error, m *message){
	detail(func(e *burn.FitError, m *message) { m.what, m.next = fitWords(e), untouched+fitAdvice(e) }),
	detail(func(e *burn.Refusal, m *message) {
		what, next := refusalWords(e)
		m.what, m.next = what, strings.TrimSpace(untouched+next)
	}),
	detail(func(e *format.SuffixError, m *message) { m.status, m.what, m.next = exitUsage, suffixWords(e), "" }),
	detail(func(e *format.CannotHoldError, m *message) { m.what = cannotHoldWords(e) }),
	detail(func(e *format.LossError, m *message) { m.what, m.next = wouldLose(e) }),
	detail(func(e *rip.NoSpaceError, m *message) {
		m.what = fmt.Sprintf("the image needs %s, and the folder %q has room for %s", sizeText(e.Need), e.Dir, sizeText(e.Have))
		m.next = "Nothing was read. Make room and run the same command, or choose another folder."
	}),
	detail(ofFile),
	detail(func(e *folder.NamesError, m *message) {
		m.next = unchanged + fmt.Sprintf("Name it as it is named there, with --tags %s, or name another folder.", quoted(strings.TrimSuffix(e.Log, ".log")+".cue"))
	}),
	detail(func(e *folder.NotRightError, m *message) {
		m.next = unchanged + fmt.Sprintf("\"--track %d --force\" makes it again, whether or not that comes out better.", e.Number)
	}),
	detail(func(e *rip.ShiftedError, m *message) {
		m.what = fmt.Sprintf("this is the same disc, but this drive reads its audio %s than the one that the rip was begun with", laterWords(e.Samples))
	}),
	detail(func(e *rip.OtherOptionsError, m *message) { m.what = begunWords(e) }),
	detail(func(e *scsi.OpenError, m *message) {
		if next := openAdvice(e); next != "" {
			m.next = next
		}
	}),
	detail(func(_ forcedRip, m *message) { m.next = withoutForce(m.next) }),
}

// detail applies to errors of one type.
func detail[E error](say func(E, *message)) func(error, *message) {
	return func(err error, m *message) {
		if e, ok := errors.AsType[E](err); ok {
			say(e, m)
		}
	}
}

// ofFile names the file for which there is no space, or whose rip is unfinished.
func ofFile(e *fs.PathError, m *message) {
	switch {
	case errors.Is(e, syscall.ENOSPC):
		m.what = fmt.Sprintf("there is no space left for %q", e.Path)
	case errors.Is(e, fs.ErrNotExist) && exists(rip.MapPath(e.Path)):
		m.what = fmt.Sprintf("%q is not there yet: the rip that makes it is unfinished", e.Path)
		m.next = "Run that rip again: it resumes."
	}
}
