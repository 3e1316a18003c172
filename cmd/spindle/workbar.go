package main

import (
	"time"

	"github.com/cheggaaa/pb/v3"
)

// workBar shows how far work on files has come: only on a terminal, for such work
// takes seconds.
type workBar struct {
	a   *app
	bar *pb.ProgressBar
}

func (a *app) newWorkBar() *workBar { return &workBar{a: a} }

// step starts a piece of work and returns what it is to call as it goes on.
func (w *workBar) step(name string) func(done, total int64) {
	if w.a.quiet || w.a.json || !isTerminal(w.a.stderr) {
		return nil
	}
	w.stop()
	return func(done, total int64) {
		if w.bar == nil {
			w.bar = pb.New64(total).SetWriter(w.a.stderr).SetRefreshRate(250 * time.Millisecond).
				SetTemplateString(name + ` {{ bar . "[" "=" ">" " " "]" }} {{ percent . }}`)
			w.bar.Start()
		}
		w.bar.SetCurrent(done)
	}
}

// stop takes the bar away.
func (w *workBar) stop() {
	if w.bar != nil {
		w.bar.Finish()
		w.bar = nil
	}
}
