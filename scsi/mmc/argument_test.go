package mmc_test

import (
	"context"
	"errors"
	"testing"

	"spindle/scsi"
	"spindle/scsi/mmc"
)

// untouched fails a test when any command arrives.
type untouched struct {
	plain
	t *testing.T
}

func (u untouched) Execute(_ context.Context, c *scsi.Command) (int, error) {
	u.t.Errorf("% x was sent", c.CDB)
	return len(c.Data), nil
}

// What no command can carry is refused before anything is sent.
func TestArgumentsOutOfRange(t *testing.T) {
	ctx := context.Background()
	d := mmc.New(untouched{t: t})
	for name, call := range map[string]func() error{
		"write no blocks":               func() error { return d.Write(ctx, 0, 0, nil) },
		"write more than the field has": func() error { return d.Write(ctx, 0, 70000, make([]byte, 70000*2048)) },
	} {
		if err := call(); !errors.Is(err, mmc.ErrArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
