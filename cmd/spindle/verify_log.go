package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spindle/album"
	"spindle/disc"
	"spindle/image/riplog"
)

// logResult is the result of verifying the songs of a log.
type logResult struct {
	ending
	Log     string    `json:"log"`
	Changed bool      `json:"log_changed,omitempty"` // its checksum is another
	Songs   []logSong `json:"songs"`
}

// logSong is a song in it.
type logSong struct {
	Number int    `json:"number"`
	File   string `json:"file"`
	Found  string `json:"found"` // same, different, missing, unreadable
	Why    string `json:"why,omitempty"`
	Proof  string `json:"proof,omitempty"`
	Flawed bool   `json:"flawed,omitempty"`
}

var findingNames = map[album.Finding]string{
	album.Same: "same", album.Different: "different", album.Missing: "missing", album.Unreadable: "unreadable",
}

// Text implements event.
func (r *logResult) Text(p *page) {
	same := 0
	if r.Changed {
		p.text("%s: its checksum is not that of its text. What it says of its songs proves nothing.", p.red("The log was changed after it was written"))
	}
	for _, s := range r.Songs {
		switch {
		case s.Found == "same" && s.Flawed:
			p.line("  %s  as it was written, with the damage that the log names", s.File)
		case s.Found == "same":
			same++
			p.line("  %s  as it was written%s", s.File, proofText(s.Proof))
		case s.Why != "":
			p.line("  %s  %s: %s", s.File, p.red(s.Found), s.Why)
		default:
			p.line("  %s  %s", s.File, p.red(s.Found))
		}
	}
	switch n := len(r.Songs); {
	case r.Changed:
	case same == n && n == 1:
		p.line("The file is as it was written.")
	case same == n:
		p.line("All %d files are as they were written.", n)
	default:
		p.line("%d of %s as they were written and without damage.", same, plural(n, "file"))
	}
}

func proofText(proof string) string {
	if proof == "" {
		return ""
	}
	return ": " + proof
}

// isLog reports whether a file is the log of an album.
func isLog(path string) bool {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 64)
	n, _ := io.ReadFull(f, head)
	return riplog.Is(head[:n])
}

// partLog returns the log of a folder, or beside a sheet, that says that only some songs of the disc
// are there, or "": no sheet makes a disc of those.
func partLog(path string) string {
	logs := []string{strings.TrimSuffix(path, ".cue") + riplog.Suffix}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		logs = logsIn(path)
	}
	for _, log := range logs {
		if !isLog(log) {
			continue
		}
		text, err := readSmall(log, riplog.MaxSize)
		if err != nil {
			continue
		}
		if l, err := riplog.Parse(text); err == nil && l.Sections[0].Get(riplog.AbsentLine) != "" {
			return log
		}
	}
	return ""
}

// logsIn are the files of a folder that have the suffix of logs.
func logsIn(dir string) (logs []string) {
	entries, _ := os.ReadDir(dir) //nolint:errcheck // it has none then
	for _, e := range entries {
		if filepath.Ext(e.Name()) == riplog.Suffix {
			logs = append(logs, filepath.Join(dir, e.Name()))
		}
	}
	return logs
}

// log compares the songs of an album with the log beside its sheet, where there is one.
func (v *verification) log(ctx context.Context) error {
	for _, file := range v.img.Files() {
		path, ok := strings.CutSuffix(file, ".cue")
		if path += ".log"; !ok || !isLog(path) {
			continue
		}
		r, err := verifyLog(ctx, v.a, path)
		if err != nil {
			return err
		}
		if v.Log = r; r.Status != exitDone {
			v.wrong()
		}
		v.judged = true
	}
	return nil
}

// runVerifyLog compares the songs of a log with their files.
func runVerifyLog(ctx context.Context, a *app, path string) (result, error) {
	r, err := verifyLog(ctx, a, path)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func verifyLog(ctx context.Context, a *app, path string) (*logResult, error) {
	text, err := readSmall(path, riplog.MaxSize)
	if err != nil {
		return nil, err
	}
	l, err := riplog.Parse(text)
	changed := errors.Is(err, riplog.ErrChanged)
	if err != nil && !changed {
		return nil, refusal{fmt.Errorf("%s: %w", path, err), exitDifferent, restoreLog + "."}
	}
	songs, err := l.Songs()
	if err != nil {
		return nil, refusal{fmt.Errorf("%s: %w", path, err), exitDifferent, restoreLog + "."}
	}
	r := &logResult{ending: done(), Log: path, Changed: changed}
	if changed {
		r.Status = exitDifferent
	}
	bar := a.newProgress()
	defer bar.stop()
	step := bar.step("checking")
	var total, at disc.LBA
	for _, s := range songs {
		total += s.End - s.First
	}
	for _, s := range songs {
		found, err := album.VerifySong(ctx, filepath.Dir(path), s, songs)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x := logSong{Number: s.Number, File: s.File, Found: findingNames[found], Proof: s.Proof.Words, Flawed: len(s.Flaws) > 0}
		if err != nil {
			x.Why = err.Error()
		}
		if found != album.Same || x.Flawed {
			r.Status = exitDifferent
		}
		r.Songs = append(r.Songs, x)
		at += s.End - s.First
		step(int64(at), int64(total))
	}
	return r, nil
}
