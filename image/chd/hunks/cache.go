package hunks

import "sync"

// A cache keeps the values that were used last. It is small: it is searched one by one.
type cache[V any] struct {
	mu   sync.Mutex
	most int
	all  []cached[V] // the one used last at the end
}

type cached[V any] struct {
	key   int64
	value V
}

func newCache[V any](most int) *cache[V] { return &cache[V]{most: most} }

func (c *cache[V]) get(key int64) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.all) - 1; i >= 0; i-- {
		if x := c.all[i]; x.key == key {
			copy(c.all[i:], c.all[i+1:])
			c.all[len(c.all)-1] = x
			return x.value, true
		}
	}
	var none V
	return none, false
}

func (c *cache[V]) put(key int64, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) == c.most {
		copy(c.all, c.all[1:])
		c.all = c.all[:c.most-1]
	}
	c.all = append(c.all, cached[V]{key, v})
}
