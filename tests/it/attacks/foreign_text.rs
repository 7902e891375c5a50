//! What others write cannot look like lines or commands of this program, nor like those of a pipeline.
