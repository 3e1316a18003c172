package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"spindle/burn"
	"spindle/internal/printable"
	"spindle/scsi/mmc"
)

// outliveTerminal keeps the program running when its terminal is closed: a burn that
// stops in the middle spoils the disc.
func outliveTerminal() { signal.Ignore(syscall.SIGHUP) }

// afterInterrupt is what is said when a drive still works after Ctrl-C, and what a second one leaves behind.
type afterInterrupt struct{ waiting, left string }

var (
	burnLeft = afterInterrupt{
		"Interrupted: waiting until the drive has finished. (A second Ctrl-C ends spindle at once, whatever state the disc is in.)",
		"Ended at once. The disc may lack a part of the image, or not be closed: \"spindle reburn\" resumes, or compares and closes it, as far as the disc allows.",
	}
	burnLeftUnknown = afterInterrupt{
		burnLeft.waiting,
		"Ended at once. The disc may lack a part of the image, or not be closed; without a journal, nothing resumes. \"spindle info\" shows it.",
	}
	eraseLeft = afterInterrupt{
		burnLeft.waiting,
		"Ended at once. The drive may still be at work, and the disc be neither what it was nor empty: \"spindle info\" shows it.",
	}
	ripLeft = afterInterrupt{
		"Interrupted: waiting until the drive has answered its last command. (A second Ctrl-C ends spindle at once; what was read is kept.)",
		"Ended at once. What was read is kept, except for the last seconds: run the same command to resume from there.",
	}
)

// hearInterrupt says, while a drive still finishes what it began, that Ctrl-C was
// heard. A second one ends the program, and says what is left. Calling stop ends that.
func hearInterrupt(ctx context.Context, a *app, words afterInterrupt) (stop func()) {
	ended := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(again)
		patience := time.After(time.Second)
		for {
			select {
			case <-ended:
				return
			case <-patience:
				a.say("%s", words.waiting)
			case <-again:
				a.note(words.left)
				os.Exit(exitInterrupted)
			}
		}
	})
	return func() {
		forget()
		close(ended)
	}
}

// A loss is what a plan erases, or writes over.
type loss struct {
	drive  string
	medium *burn.Medium
	held   *burn.Holdings
}

func (l loss) String() string {
	return fmt.Sprintf("the %s holds %s", l.medium.Profile, holdingsWords(l.held))
}

// lost names what is lost, and on which disc.
func (l loss) lost() string {
	return fmt.Sprintf("%s, on the %s", holdingsWords(l.held), l.medium.Profile)
}

// holdingsWords says what is on a disc.
func holdingsWords(h *burn.Holdings) string {
	var parts []string
	if h.AudioTracks > 0 {
		parts = append(parts, fmt.Sprintf("%s of audio, %s", plural(h.AudioTracks, "track"), playingTime(h.AudioSectors)))
	}
	switch {
	case h.FileSystem:
		count := plural(h.Files, "file")
		if h.More {
			count = "more than " + count
		}
		text := fmt.Sprintf("%q (%s, %s", h.Label, count, sizeText(h.Bytes))
		if h.Label == "" {
			text = fmt.Sprintf("a volume without a label (%s, %s", count, sizeText(h.Bytes))
		}
		if !h.Made.IsZero() {
			text += ", of " + h.Made.Format(time.DateOnly)
		}
		parts = append(parts, text+")")
	case h.Unknown:
		parts = append(parts, "data of an unknown kind")
	case h.Unreadable:
		parts = append(parts, "what the drive could not read")
	}
	return strings.Join(parts, ", and ")
}

// playingTime rounds a time on a CD to minutes, or a short one to seconds.
func playingTime(sectors int) string {
	const second, minute = 75, 75 * 60
	if sectors < 2*minute {
		return fmt.Sprintf("%d s", (sectors+second/2)/second)
	}
	return fmt.Sprintf("%d min", (sectors+minute/2)/minute)
}

// loses says what a plan destroys on the disc of a drive, or returns nil.
func (t *target) loses(ctx context.Context) (*loss, error) {
	if !t.plan.Destroys() {
		return nil, nil
	}
	h, err := burn.Held(ctx, t.drive, t.medium)
	if h == nil || err != nil {
		return nil, err
	}
	return &loss{t.name, t.medium, h}, nil
}

// An agreement says what the user agreed to in advance, and what would be missing.
type agreement struct {
	force  bool   // nothing is asked
	silent bool   // enough where there is no terminal to ask on
	flag   string // says so on the command line
}

// confirm asks whether what is on the discs may be destroyed.
func confirm(ctx context.Context, a *app, losses []*loss, g agreement) error {
	for _, l := range losses {
		a.say("Lost   %s", l.lost())
	}
	if len(losses) == 0 || g.force {
		return nil
	}
	if !isTerminal(os.Stdin) {
		if g.silent {
			return nil
		}
		return refusal{errors.New(losses[0].String()), exitNoDisc,
			untouched + "Add " + g.flag + " if all of it may be lost, or use another disc."}
	}
	fmt.Fprint(a.stderr, printable.Text("All of this will be lost. Continue? [y/N] "))
	answer, err := readLine(ctx)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return refusal{fmt.Errorf("not confirmed: %s", losses[0]), exitNoDisc, strings.TrimSpace(untouched)}
}

// readLine reads a line from standard input, unless ctx ends first. At the end of
// the input the line is empty.
func readLine(ctx context.Context) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		answers <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-answers:
		if errors.Is(r.err, io.EOF) {
			return r.line, nil
		}
		return r.line, r.err
	}
}

// holdsSame reports whether a disc that a burn failed on holds what that burn wrote:
// the volume of the image, or its tracks of audio; or nothing that can be read, where it looks as
// that burn, and none after it, left it.
func holdsSame(l *loss, c *burn.Comparison, src *burn.Source, a *burn.Attempt) bool {
	if c.Foreign {
		return false
	}
	if *l.held == (burn.Holdings{Unreadable: true}) {
		m := l.medium
		return m.ID == a.MediumID && m.Profile == a.Plan.Profile && !a.Later && (m.Damaged || m.Status == mmc.DiscAppendable)
	}
	if l.held.AudioTracks == 0 {
		return c.SameVolume
	}
	tracks, sectors := src.Audio()
	return l.held.AudioTracks == tracks && l.held.AudioSectors == sectors
}
