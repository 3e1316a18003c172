package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"spindle/burn"
	"spindle/image/format"
	"spindle/internal/packed"
	"spindle/iso"
)

// pipeHead is how much of a pipe is looked at before the disc is: up to behind the volume
// descriptors of ISO 9660 and UDF.
const pipeHead = 1 << 20

// burnPipe makes a source of what comes through a pipe, which can be burned only once: its
// beginning is looked at before the disc is touched, and it has to be as long as the volume
// in it. With force, what has no file system is burned as it comes; a volume that breaks off is a
// burn that fails even then: force may have been meant for what is on the disc.
func burnPipe(a *app, r io.Reader, blocks int, force bool) (*burn.Source, error) {
	pipe := bufio.NewReaderSize(r, pipeHead)
	src := burn.StreamSource("standard input", pipe, blocks)
	head, err := pipe.Peek(pipeHead)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: %w", burn.ErrSource, err)
	case len(head) == 0:
		return nil, refusal{errors.New("nothing came through the pipe"), exitBurnFailed, untouched + takesStream + "."}
	}
	volume, err := iso.ReadVolume(bytes.NewReader(head), 0)
	wrong, next := "", ""
	if err != nil {
		wrong, next = notDisc(head)
	}
	switch {
	case wrong == "":
		src.Expect(volume.Blocks())
	case !force:
		return nil, refusal{errors.New("what comes through the pipe is " + wrong), exitDifferent, untouched + next + "--force burns it anyway."}
	default:
		a.note("what comes through the pipe is " + wrong + "; burning it anyway")
	}
	return src, nil
}

// notDisc says what something is that begins without a file system, and what to do.
func notDisc(head []byte) (what, next string) {
	if how := packed.Method(head); how != "" {
		return "compressed (" + how + ")", "Unpack it before it comes here. "
	}
	f, ok := format.Find(&format.Probe{Head: head[:min(len(head), format.HeadSize)], R: bytes.NewReader(head)})
	switch {
	case ok && f.Refusal != "":
		return f.Refusal, ""
	case ok && !slices.Contains(f.Suffixes, ".iso"):
		return "in the form of " + f.Name, "Burn it from a file. "
	}
	return "no image of a disc: it has no file system that spindle knows", "Look at what sends it. "
}
