# make demo   a first answer on real data, in about five minutes with the installation
# make test   lint, types, contracts, tests: all that a change must pass
# make volume the tests that take minutes or gigabytes

PYTHON = .venv/bin/python

# Modules and settings of other environments stay out of this one.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS PYTHONOPTIMIZE PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX

.PHONY: demo test check volume
.NOTPARALLEL:

demo:
	@sh install.sh
	@.venv/bin/vistaql demo

test:
	@sh install.sh test
	@$(MAKE) --no-print-directory check

check:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) .venv/bin/lint-imports --config setup.cfg
	$(PYTHON) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

volume:
	@sh install.sh test
	$(PYTHON) -m pytest -m volume
